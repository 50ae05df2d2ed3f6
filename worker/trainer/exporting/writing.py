"""Writes the files of an export into a folder."""

from __future__ import annotations

import shutil
import threading
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import torch
from transformers.utils.hub import cached_file

from core.export_job import UNIT_BYTES, ExportedFile, ExportJob
from worker.trainer.event_log import EventLog
from worker.trainer.exporting.converter import convert
from worker.trainer.exporting.original import Original
from worker.trainer.failures import failure
from worker.trainer.files import file_sha256
from worker.trainer.hub import locate_model
from worker.trainer.interrupt import Interrupt
from worker.trainer.lora import LoraLinear
from worker.trainer.model import STUDENT, base_weight, load_model_config

_LOOK_SECONDS: Final = 0.5
_SHARD: Final = "5GB"
_PIECE: Final = 2**20
_GGUF_BYTES: Final = {"f32": 4.0, "f16": 2.0, "bf16": 2.0, "q8_0": 1.0625}


def write_files(
    original: Original, job: ExportJob, folder: Path, log: EventLog, interrupt: Interrupt
) -> torch.dtype:
    """Write what the job asks for; the original is of no use afterwards if it was merged.

    Returns:
        Number format of the weights that were written.

    Raises:
        StudioError: the converter is missing or failed; there is no room.
        OSError: the disk does not take them.
        StopRequested: a stop was asked for.
    """
    if job.content in {"adapter", "ema_adapter"}:
        factors = original.network.factors(STUDENT).values()
        size = sum(one.numel() * one.element_size() for one in factors)
        with _watched(folder, log, "Writing the adapter", size):
            _write_adapter(original, folder)
        return torch.float32
    stored = _stored_dtype(original)
    if job.content == "merged":
        _write_merged(original, folder, stored, log)
        return stored
    merged = folder.with_name(f"{folder.name}.merged.tmp")
    try:
        merged.mkdir()
        _write_merged(original, merged, stored, log)
        parameters = sum(one.numel() for one in original.network.causal.parameters())
        size = int(parameters * _GGUF_BYTES[job.gguf_type])
        with _watched(folder, log, "Converting to GGUF", size):
            name = f"{Path(job.model.name).name}-{job.gguf_type}.gguf"
            convert(merged, folder / name, job.gguf_type, interrupt)
    finally:
        shutil.rmtree(merged, ignore_errors=True)
    return {"f32": torch.float32, "bf16": torch.bfloat16}.get(job.gguf_type, torch.float16)


def _write_adapter(original: Original, folder: Path) -> None:
    # The base's embeddings never change; asking for them would consult the hub.
    original.network.peft.save_pretrained(
        str(folder),
        safe_serialization=True,
        save_embedding_layers=False,
        selected_adapters=[STUDENT],
    )


def _stored_dtype(original: Original) -> torch.dtype:
    """The format of the base's own files: an export is neither larger nor coarser than they are."""
    named = getattr(load_model_config(original.model).get_text_config(), "dtype", None)
    if isinstance(named, str):
        named = getattr(torch, named, None)
    return named if isinstance(named, torch.dtype) else original.dtype


def _write_merged(original: Original, folder: Path, stored: torch.dtype, log: EventLog) -> None:
    model = _merge(original, stored)
    size = sum(one.numel() * one.element_size() for one in model.parameters())
    with _watched(folder, log, "Writing the merged model", size):
        model.save_pretrained(str(folder), safe_serialization=True, max_shard_size=_SHARD)
        original.tokenizer.save_pretrained(str(folder))
        source = locate_model(original.model)
        # How the base wants to be sampled; the trainer does not look at it.
        how = cached_file(
            source.location,
            "generation_config.json",
            revision=original.model.revision or "main",
            _raise_exceptions_for_missing_entries=False,
            _raise_exceptions_for_connection_errors=False,
        )
        if how is not None:
            shutil.copyfile(how, folder / "generation_config.json")


@torch.no_grad()
def _merge(original: Original, stored: torch.dtype) -> Any:  # noqa: ANN401 - any causal model
    """The base with W + s · B · A in place of W, in the format that is written.

    In bfloat16 the sums are dithered, as while sampling: rounding would lose most of the update.
    """
    network = original.network
    for place, layer in enumerate(network.layers):
        base: Any = layer.get_base_layer()
        base.weight.data = base_weight(layer).to(stored)
        if isinstance(layer, LoraLinear):
            base.weight.data = layer.folded_weight(STUDENT, place)
    return network.peft.unload().to(stored)


@contextmanager
def _watched(folder: Path, log: EventLog, doing: str, total: int) -> Iterator[None]:
    """Tell how many bytes of the folder are there, while somebody else's code writes them.

    Raises:
        StudioError: `disk_full`: they would not fit. To find out by filling the disk would take it
            from the runs that train here.
    """
    free = shutil.disk_usage(folder).free
    if total > free:
        raise failure(
            "disk_full",
            f"{doing} takes about {total / 1e9:.2f} GB; the disk of {folder.parent} has "
            f"{free / 1e9:.2f} GB left.",
            "Free space there, for example by deleting exports, then export again.",
        )
    over = threading.Event()

    def tell(there: int) -> None:
        units = -(-total // UNIT_BYTES)
        log.phase("exporting", doing, min(units, there // UNIT_BYTES), units)

    def watch() -> None:
        while not over.wait(_LOOK_SECONDS):
            tell(folder_bytes(folder))

    tell(0)
    # The writer is busy in one call: nobody else writes to the log meanwhile.
    thread = threading.Thread(target=watch, name="export-progress", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
    tell(total)


def folder_bytes(folder: Path) -> int:
    """Bytes of the files below a folder that is being written."""
    total = 0
    for path in folder.rglob("*"):
        try:
            total += path.stat().st_size if path.is_file() else 0
        except FileNotFoundError:
            continue
    return total


def listed(folder: Path, progress: Callable[[], None]) -> list[ExportedFile]:
    """The files of a folder with their hashes, by path.

    Args:
        folder: the export's.
        progress: called before each file.
    """
    found = []
    for path in sorted(one for one in folder.rglob("*") if one.is_file()):
        progress()
        path.chmod(0o644)
        found.append(
            ExportedFile(
                path=path.relative_to(folder).as_posix(),
                bytes=path.stat().st_size,
                sha256=file_sha256(path),
                crc32=_crc32(path),
            )
        )
    return found


def _crc32(path: Path) -> int:
    value = 0
    with path.open("rb") as file:
        while piece := file.read(_PIECE):
            value = zlib.crc32(piece, value)
    return value
