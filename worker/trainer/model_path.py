"""Where a model's files are. Needs no torch, so that a worker can ask without loading it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import NamedTuple

from worker.trainer.failures import mistake


class ModelSource(NamedTuple):
    """What to hand to `from_pretrained`: a local folder, or an id on the hub."""

    location: str
    tried: tuple[str, ...]

    @property
    def is_local(self) -> bool:
        """Whether the location is a folder on this machine."""
        return Path(self.location).is_dir()


def models_home() -> Path:
    """Folder of the models that `obtain-model` or a person put on this machine."""
    home = os.environ.get("UNISD_HOME") or "~/.unisd"
    return Path(home).expanduser() / "models"


def resolve_model(name: str) -> ModelSource:
    """Find a model: a folder, then `$UNISD_HOME/models/<name>`, then the hub's id.

    Raises:
        StudioError: `model_not_found` if the name can only be a folder and holds no model.
    """
    folder = Path(name).expanduser()
    kept = models_home() / name
    for candidate in (folder, kept):
        if (candidate / "config.json").is_file():
            return ModelSource(str(candidate), (str(candidate),))
    if name.startswith(("/", "./", "../", "~")) or name.count("/") > 1 or folder.is_dir():
        state = "has no config.json" if folder.is_dir() else "does not exist"
        raise mistake(
            "model_not_found",
            f"The model folder {folder} {state}.",
            "Give a folder with config.json, safetensors weights and a tokenizer, or a hub id.",
            field="model.name",
        )
    return ModelSource(name, (str(folder), str(kept), f"hub id {name}"))
