"""Folders as trainers leave them, small."""

from __future__ import annotations

import os
import time
from pathlib import Path


def write(path: Path, content: str = "content") -> Path:
    """A file with its folders."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content)
    return path


def write_checkpoint(attempt: Path, step: int, content: str = "weights") -> Path:
    """A checkpoint that appears at once, as the trainer's do."""
    folder = attempt / "checkpoints" / f"step-{step:08d}"
    temporary = folder.with_name(f".{folder.name}.tmp")
    for name in ("manifest.json", "state.json", "student.safetensors"):
        write(temporary / name, f"{content} {step}")
    temporary.replace(folder)
    return folder


def write_attempt(folder: Path) -> Path:
    """An attempt that has begun: configuration, events, log, one step's rollouts."""
    write(folder / "run.yaml", "model: {}")
    write(folder / "events.jsonl", "{}\n")
    write(folder / "trainer.log", "loading")
    write(folder / "trajectories" / "step-000001.parquet")
    return folder


def grown_old(path: Path) -> None:
    """Nothing was added to the file for a minute."""
    old = time.time() - 60
    os.utime(path, (old, old))
