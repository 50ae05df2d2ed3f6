"""What tells one model from another, so that no result is taken for that of other weights."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any, Final

SAMPLES: Final = 256
BLOCK: Final = 1 << 16
"""Bytes read at each of `SAMPLES` places of a file; smaller files are read as a whole."""


def folder_identity(folder: Path) -> list[Any]:
    """A model folder's content as plain data: tomorrow the name can stand for other weights."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return [[str(path.relative_to(folder)), _digest(path)] for path in files if _counts(path)]


def _counts(path: Path) -> bool:
    """Weights, configurations and tokenizers; not notes, nor what Python leaves behind."""
    return path.suffix in {".safetensors", ".json", ".txt", ".model", ".jinja", ".gguf"}


def _digest(path: Path) -> str:
    """Hash of the file's size and of blocks spread evenly over it.

    Training changes weights everywhere, so samples find it; a large model read as a whole would
    take longer than what the cache saves.
    """
    size = path.stat().st_size
    found = hashlib.sha256(str(size).encode())
    with path.open("rb") as file:
        if size <= SAMPLES * BLOCK:
            found.update(file.read())
        else:
            for number in range(SAMPLES):
                file.seek((size - BLOCK) * number // (SAMPLES - 1))
                found.update(file.read(BLOCK))
    return found.hexdigest()
