"""Checkpoints: everything that a run needs to go on as if it had never stopped.

A checkpoint is a folder `checkpoints/step-…` with safetensors and JSON files and a manifest of
their SHA-256. It is written under a temporary name and renamed, so a reader never sees half of one;
one that was damaged later does not match its manifest, and the one before is used.

Random numbers need no state: every use has a seed derived from the run's seed and its place
(`worker.trainer.randomness`), so the step number is enough. The states of torch's own generators
are kept all the same, of every process that trains, for what may use them.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from core.errors import StudioError
from worker.trainer.failures import failure, mistake, write_failure
from worker.trainer.files import file_sha256, folder_written_atomically
from worker.trainer.processes import Processes

FOLDER: Final = "checkpoints"
MANIFEST: Final = "manifest.json"
STATE: Final = "state.json"
FORMAT: Final = 1
_LOOKS: Final = 20


class Snapshot(NamedTuple):
    """A checkpoint's content.

    Attributes:
        tensors: by group (`student`, `ema`, `optimizer`, `random`), then by name.
        state: plain data: step, history, configuration hash, what the numbers depend on.
    """

    tensors: dict[str, dict[str, Tensor]]
    state: dict[str, Any]


def save_snapshot(out: Path, step: int, snapshot: Snapshot, keep: int) -> Path:
    """Write a checkpoint and remove all but the newest `keep`.

    Raises:
        StudioError: `disk_full` or `write_failed`.
    """
    target = out / FOLDER / f"step-{step:08d}"
    try:
        if target.exists():
            shutil.rmtree(target)
        with folder_written_atomically(target) as folder:
            for group, tensors in snapshot.tensors.items():
                plain = {
                    name: values.detach().cpu().contiguous() for name, values in tensors.items()
                }
                save_file(plain, folder / f"{group}.safetensors")
            (folder / STATE).write_text(json.dumps(snapshot.state), encoding="utf-8")
            hashes = {file.name: file_sha256(file) for file in sorted(folder.iterdir())}
            manifest = {"format": FORMAT, "step": step, "sha256": hashes}
            (folder / MANIFEST).write_text(json.dumps(manifest, indent=2), encoding="utf-8")
        for old in _newest_first(out)[keep:]:
            shutil.rmtree(old, ignore_errors=True)
    except OSError as error:
        raise write_failure(target, error) from error
    return target


class Found(NamedTuple):
    """The newest whole checkpoint, and those newer ones that are damaged."""

    folder: Path
    snapshot: Snapshot
    damaged: dict[str, str]


def find_snapshot(out: Path) -> Found:
    """Load the newest checkpoint below a run's folder whose files match their hashes.

    Raises:
        StudioError: `checkpoint_not_found` or `checkpoint_damaged`, if none is whole.
    """
    damaged: dict[str, str] = {}
    for _ in range(_LOOKS):
        damaged.clear()
        seen = _newest_first(out)
        for folder in seen:
            try:
                return Found(folder, _load(folder), damaged)
            except (OSError, ValueError, KeyError, SafetensorError) as error:
                damaged[folder.name] = " ".join(str(error).split())[:200]
        if _newest_first(out) == seen:
            break
        # A trainer that was cut off from its worker still writes there and removes what is old.
    if damaged:
        told = "; ".join(f"{name}: {reason}" for name, reason in damaged.items())
        raise failure(
            "checkpoint_damaged",
            f"No checkpoint below {out / FOLDER} is whole ({told}).",
            "Start the run anew.",
        )
    raise mistake(
        "checkpoint_not_found",
        f"There is no checkpoint below {out / FOLDER}.",
        "Give the folder of a run that wrote one (training.checkpoint_every_steps), or start anew.",
    )


def _newest_first(out: Path) -> list[Path]:
    folder = out / FOLDER
    return sorted(folder.glob("step-*"), reverse=True) if folder.is_dir() else []


def _load(folder: Path) -> Snapshot:
    manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    if manifest["format"] != FORMAT:
        raise ValueError(f"format {manifest['format']} is not known")
    for name, expected in manifest["sha256"].items():
        if file_sha256(folder / name) != expected:
            raise ValueError(f"{name} does not match its hash")
    # By the manifest, not by what is there: somebody may be removing the folder.
    names = sorted(name for name in manifest["sha256"] if name.endswith(".safetensors"))
    tensors = {Path(name).stem: load_file(folder / name) for name in names}
    return Snapshot(tensors, json.loads((folder / STATE).read_text(encoding="utf-8")))


def optimizer_tensors(
    optimizer: torch.optim.Optimizer, names: Mapping[int, str]
) -> dict[str, Tensor]:
    """The optimizer's state by `parameter/entry`; `names` gives each parameter's by identity."""
    return {
        f"{names[id(parameter)]}/{entry}": value
        for parameter, entries in optimizer.state.items()
        for entry, value in entries.items()
        if isinstance(value, Tensor)
    }


def load_optimizer(
    optimizer: torch.optim.Optimizer, parameters: Mapping[str, Tensor], saved: Mapping[str, Tensor]
) -> None:
    """Put an optimizer's state back."""
    for key, value in saved.items():
        name, _, entry = key.rpartition("/")
        parameter = parameters[name]
        # AdamW counts its steps on the CPU wherever the parameters are.
        moved = value if entry == "step" else value.to(parameter.device)
        optimizer.state[parameter][entry] = moved.clone()


def random_tensors(processes: Processes) -> dict[str, Tensor]:
    """The states of torch's generators in all processes: `cpu`, `cuda`, and `cpu@1` of rank 1."""
    states = {"cpu": torch.get_rng_state()}
    if torch.cuda.is_available():
        states["cuda"] = torch.cuda.get_rng_state()
    return {
        _of_rank(name, rank): state
        for rank, theirs in enumerate(processes.gather_tensors(states))
        for name, state in theirs.items()
    }


def load_random(saved: Mapping[str, Tensor], rank: int) -> None:
    """Put the states of this process's generators back, as far as they were kept."""
    if (cpu := saved.get(_of_rank("cpu", rank))) is not None:
        torch.set_rng_state(cpu)
    cuda = saved.get(_of_rank("cuda", rank))
    if cuda is not None and torch.cuda.is_available():
        torch.cuda.set_rng_state(cuda)


def _of_rank(name: str, rank: int) -> str:
    return f"{name}@{rank}" if rank else name


def check_same_run(saved: Mapping[str, Any], current: Mapping[str, Any]) -> list[str]:
    """Refuse a checkpoint of another run; tell what keeps the continuation from being exact.

    Args:
        saved: the checkpoint's state; its `identity` must be equal, its `environment` should be.
        current: the same of this run.

    Returns:
        Reasons why the continuation may differ in the last digits; empty if it is exact.

    Raises:
        StudioError: `checkpoint_of_another_run`.
    """
    for name, value in current["identity"].items():
        if saved["identity"].get(name) != value:
            raise _another_run(name)
    return [
        f"{name} was {saved['environment'].get(name)} and is {value}"
        for name, value in current["environment"].items()
        if saved["environment"].get(name) != value
    ]


def _another_run(name: str) -> StudioError:
    return mistake(
        "checkpoint_of_another_run",
        f"The checkpoint belongs to another run: its {name} differs.",
        "Resume with the configuration and the data that the checkpoint was made with.",
    )
