"""One base model that stays loaded, and adapters that are put on it as they are asked for.

The base's weights are read once. An adapter costs its factors, and, where there is room, a copy of
the weights with it folded in, which is what makes its answers as quick as the base's.
"""

from __future__ import annotations

import gc
import warnings
from collections import OrderedDict
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

import torch
from peft.tuners.lora import LoraLayer

from core.config import ModelConfig
from core.generation_job import JobColumn
from worker.trainer.adapter import load_adapter, made_for_another, shape_of, weights_file
from worker.trainer.chat import load_tokenizer
from worker.trainer.failures import mistake
from worker.trainer.lora import FoldedGroup, LoraLinear
from worker.trainer.memory import fits
from worker.trainer.model import (
    Network,
    base_weight,
    context_length,
    load_network,
    lora_config,
)

KEPT_ADAPTERS: Final = 8
"""Adapters that stay on the model; one more, and the one that was not asked for longest goes."""


@dataclass
class Adapter:
    """An adapter on the warm model.

    Attributes:
        name: peft's name of it.
        folded: weights with it added, per layer; None where there is no room.
    """

    name: str
    folded: dict[LoraLinear, FoldedGroup] | None = None


@dataclass
class WarmModel:
    """A base model with its tokenizer, and the adapters that are on it."""

    model: ModelConfig
    tokenizer: Any
    network: Network
    adapters: OrderedDict[str, Adapter] = field(default_factory=OrderedDict)
    _made: int = 0

    @classmethod
    def load(cls, model: ModelConfig, device: torch.device, dtype: torch.dtype) -> WarmModel:
        """Read the base's weights.

        Raises:
            StudioError: the model is not there, or is none that can be used.
        """
        # The adapter that every network has is not used here: the smallest one.
        small = model.lora.model_copy(update={"rank": 1})
        tokenizer = load_tokenizer(model)
        given = model.model_copy(update={"lora": small})
        network = load_network(given, tokenizer, device, dtype, seed=0)
        network.peft.eval()
        return cls(model, tokenizer, network)

    @property
    def context(self) -> int | None:
        """Positions that the model knows, or None if it does not say."""
        return context_length(self.network.causal.config)

    def adapter_of(self, column: JobColumn) -> Adapter | None:
        """The adapter of a column, put on the model if it is not there; None for the base.

        Raises:
            StudioError: it is gone, is no adapter, or was made for another model.
        """
        if column.adapter is None:
            return None
        folder = Path(column.adapter).expanduser()
        shape = shape_of(folder, self.model)  # tells, too, if it is not there any more
        file = weights_file(folder, column.weights)
        key = f"{file} {file.stat().st_mtime_ns if file.is_file() else 0}"
        found = self.adapters.get(key)
        if found is None:
            if (other := made_for_another(folder, self.model)) is not None:
                raise _for_another(folder, other, self.model)
            found = self._put_on(folder, column.weights, shape)
            self.adapters[key] = found
        self.adapters.move_to_end(key)
        return found

    def _put_on(self, folder: Path, weights: str, shape: ModelConfig) -> Adapter:
        self._made += 1
        adapter = Adapter(f"column{self._made}")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                self.network.peft.add_adapter(adapter.name, lora_config(shape))
            except ValueError as error:
                raise _has_no_such_layers(folder, self.model) from error
        layers = (one for one in self.network.peft.modules() if isinstance(one, LoraLayer))
        self.network = replace(self.network, layers=tuple(layers))
        self.network.peft.eval()
        try:
            load_adapter(self.network, folder, weights, adapter.name)
        except BaseException:
            self.network.peft.delete_adapter(adapter.name)
            raise
        adapter.folded = self._fold(adapter.name)
        return adapter

    def _fold(self, name: str) -> dict[LoraLinear, FoldedGroup] | None:
        """Weights with an adapter added; None if they would take too much of the free memory."""
        foldable = [
            layer
            for layer in self.network.layers
            if isinstance(layer, LoraLinear) and base_weight(layer).is_floating_point()
        ]
        weights = [base_weight(layer) for layer in foldable if name in layer.lora_A]
        size = sum(weight.numel() * weight.element_size() for weight in weights)
        if not fits(size, self.network.device):
            return None
        return {
            layer: FoldedGroup([layer], [layer.folded_weight(name, place)])
            for place, layer in enumerate(foldable)
            if name in layer.lora_A
        }

    def speak_as(self, adapter: Adapter | None) -> None:
        """Compute with an adapter from here on; None: as the base."""
        name = None if adapter is None else adapter.name
        folded = (adapter.folded if adapter else None) or {}
        for layer in self.network.layers:
            has: Any = layer
            has._disable_adapters = name is None or name not in layer.lora_A  # noqa: SLF001
            if name is not None and name in layer.lora_A:
                has._active_adapter = [name]  # noqa: SLF001
            if isinstance(layer, LoraLinear):
                layer.folded = folded.get(layer)

    def forget_others(self, used: list[Adapter | None]) -> None:
        """Take off the adapters that were not asked for longest, beyond so many."""
        names = {adapter.name for adapter in used if adapter}
        for key in list(self.adapters):
            if len(self.adapters) <= max(KEPT_ADAPTERS, len(names)):
                return
            if self.adapters[key].name not in names:
                self.network.peft.delete_adapter(self.adapters.pop(key).name)

    def forget_all(self) -> None:
        """Give back what adapters take, after the memory ran out."""
        self.speak_as(None)
        while self.adapters:
            _, adapter = self.adapters.popitem()
            with suppress(ValueError):
                self.network.peft.delete_adapter(adapter.name)
        free_memory()


def free_memory() -> None:
    """Give what nothing refers to back to the device."""
    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()


def _has_no_such_layers(folder: Path, model: ModelConfig) -> Exception:
    return mistake(
        "adapter_invalid",
        f"The adapter in {folder} is for layers that {model.name} does not have.",
        "Compare it with runs on its own base model.",
        field="adapter",
    )


def _for_another(folder: Path, other: str, model: ModelConfig) -> Exception:
    return mistake(
        "adapter_invalid",
        f"The adapter in {folder} was made for {other}, not for {model.name}.",
        "Compare it with runs on its own base model.",
        field="adapter",
    )
