"""A model's sizes from its folder: `config.json` and the headers of its safetensors files."""

from __future__ import annotations

import json
import math
from collections.abc import Collection, Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

from core.memory import Decoder, ModelShape

_LONGEST_HEADER: Final = 100 << 20
_HEAD: Final = "lm_head.weight"


def text_config(folder: Path) -> dict[str, Any]:
    """The text part of a model's configuration; empty where it cannot be read."""
    try:
        config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    if not isinstance(config, dict):
        return {}
    inner = config.get("text_config")
    return {**config, **inner} if isinstance(inner, dict) else config


def context_length(folder: Path) -> int | None:
    """Longest sequence the model knows positions for, or None where it does not say."""
    length = text_config(folder).get("max_position_embeddings")
    return length if isinstance(length, int) and length > 0 else None


def model_shape(folder: Path, targets: Collection[str]) -> ModelShape | None:
    """Sizes of a model, or None where its files do not tell them.

    Args:
        folder: the model's.
        targets: names of the linear layers that get an adapter.
    """
    config = text_config(folder)
    weights = _weights(folder, _state(folder))
    if not weights:
        return None
    try:
        decoder = Decoder.of(config.get)
    except (TypeError, ValueError):
        return None
    # Tied weights are one, however often they are stored.
    counted = [
        math.prod(shape)
        for name, shape in weights
        if not (name == _HEAD and config.get("tie_word_embeddings"))
    ]
    adapted = tuple(
        (shape[1], shape[0])
        for name, shape in weights
        if len(shape) == 2 and _module(name) in targets
    )
    return ModelShape(decoder, sum(counted), adapted)


def _module(name: str) -> str:
    parts = name.split(".")
    return parts[-2] if len(parts) > 1 and parts[-1] == "weight" else ""


def _state(folder: Path) -> int:
    """Changes when the folder gets other files."""
    try:
        return folder.stat().st_mtime_ns
    except OSError:
        return -1


@lru_cache(maxsize=16)
def _weights(folder: Path, _state: int) -> tuple[tuple[str, tuple[int, ...]], ...]:
    """Names and shapes of all weights; empty where they are not in safetensors."""
    try:
        return tuple(entry for file in _files(folder) for entry in _header(file))
    except (OSError, ValueError, KeyError, TypeError):
        return ()


def _files(folder: Path) -> list[Path]:
    """The files that hold the model, not copies of it in another layout."""
    index = folder / "model.safetensors.index.json"
    if index.is_file():
        named = json.loads(index.read_text(encoding="utf-8"))["weight_map"].values()
        return [folder / name for name in sorted(set(named))]
    whole = folder / "model.safetensors"
    return [whole] if whole.is_file() else sorted(folder.glob("*.safetensors"))


def _header(file: Path) -> Iterator[tuple[str, tuple[int, ...]]]:
    with file.open("rb") as stream:
        length = int.from_bytes(stream.read(8), "little")
        if length > _LONGEST_HEADER:
            raise ValueError("no safetensors file")
        header = json.loads(stream.read(length))
    for name, entry in header.items():
        if name != "__metadata__":
            yield name, tuple(entry["shape"])
