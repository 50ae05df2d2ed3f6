"""What tells one model from another, so that no result is taken for that of other weights."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any, Final

from huggingface_hub import try_to_load_from_cache
from huggingface_hub.errors import HFValidationError

from core.errors import StudioError
from worker.trainer.model_path import resolve_model

SAMPLES: Final = 256
BLOCK: Final = 1 << 16
"""Bytes read at each of `SAMPLES` places of a file; smaller files are read as a whole."""


def model_identity(name: str, revision: str | None) -> list[Any]:
    """A folder's content, or a hub model's commit, as plain data.

    The same name can stand for other weights tomorrow: a folder is written anew, a branch moves.
    """
    folder = _folder(name)
    if folder is not None:
        files = sorted(path for path in folder.rglob("*") if path.is_file())
        return [[str(path.relative_to(folder)), _digest(path)] for path in files if _counts(path)]
    return [name, _commit(name, revision) or revision]


def _folder(name: str) -> Path | None:
    try:
        source = resolve_model(name)
    except StudioError:  # the loaders say it better than a cache could
        return None
    return Path(source.location) if source.is_local else None


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


def _commit(name: str, revision: str | None) -> str | None:
    """The commit of a hub model in the hub's cache: its folder's name."""
    try:
        found = try_to_load_from_cache(name, "config.json", revision=revision)
    except HFValidationError:
        return None
    return Path(found).parent.name if isinstance(found, str) else None
