"""What tells one model from another, so that no result is taken for that of other weights."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from huggingface_hub import try_to_load_from_cache
from huggingface_hub.errors import HFValidationError

from core.errors import StudioError
from core.identity import folder_identity
from worker.trainer.model_path import resolve_model


def model_identity(name: str, revision: str | None) -> list[Any]:
    """A folder's content, or a hub model's commit, as plain data.

    The same name can stand for other weights tomorrow: a folder is written anew, a branch moves.
    """
    folder = _folder(name)
    if folder is not None:
        return folder_identity(folder)
    return [name, _commit(name, revision) or revision]


def _folder(name: str) -> Path | None:
    try:
        source = resolve_model(name)
    except StudioError:  # the loaders say it better than a cache could
        return None
    return Path(source.location) if source.is_local else None


def _commit(name: str, revision: str | None) -> str | None:
    """The commit of a hub model in the hub's cache: its folder's name."""
    try:
        found = try_to_load_from_cache(name, "config.json", revision=revision)
    except HFValidationError:
        return None
    return Path(found).parent.name if isinstance(found, str) else None
