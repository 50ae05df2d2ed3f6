"""Where a model's files lie on this machine; no library is loaded to find out."""

from __future__ import annotations

import os
from pathlib import Path


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


def _cached_snapshot(name: str) -> Path | None:
    hub_home = Path(os.environ.get("HF_HOME", "~/.cache/huggingface")).expanduser()
    cache = Path(os.environ.get("HF_HUB_CACHE", hub_home / "hub"))
    repository = cache / f"models--{name.replace('/', '--')}"
    reference = repository / "refs" / "main"
    if not _is_plain(name) or not reference.is_file():
        return None
    snapshot = repository / "snapshots" / reference.read_text().strip()
    return snapshot if (snapshot / "config.json").is_file() else None
