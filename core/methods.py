"""What a configuration does, in a few words: a preset's name, or the mechanisms that are on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from core.presets import PRESETS

MECHANISMS: Final = ("ema", "live", "clip", "agreement", "contrastive", "match")
"""Names of what can be added to a plain distillation, in the order in which they are told."""


class Method(NamedTuple):
    """How a run trains.

    Attributes:
        name: of the preset with the same parts, else the parts joined by ` + `.
        mechanisms: those of `MECHANISMS` that are on.
    """

    name: str
    mechanisms: tuple[str, ...]


class _Parts(NamedTuple):
    base: str
    mechanisms: tuple[str, ...]
    variants: tuple[str, ...]
    """The mechanisms as they are told: with their level, contexts or mode."""


def method_of(config: Mapping[str, Any]) -> Method:
    """The method of a `RunConfig` as plain data; what is absent is at its default.

    Weights and sizes of a mechanism do not matter: UniSD* with another γ is UniSD*.
    """
    parts = _parts(config)
    name = _PRESET_OF.get(parts) or " + ".join((parts.base, *parts.variants))
    return Method(name, parts.mechanisms)


def _parts(config: Mapping[str, Any]) -> _Parts:
    objective, teacher = config.get("objective", {}), config.get("teacher", {})
    agreement = objective.get("agreement", {})
    matching = objective.get("feature_matching", {})
    weights = teacher.get("weights", "base")
    level, contexts = agreement.get("level", "token"), agreement.get("contexts", "random")
    alone = matching.get("mode", "joint") == "representation_only"
    told = {
        "ema": "ema" if weights == "ema" else "",
        "live": "live" if weights == "student" else "",
        "clip": "clip" if objective.get("clipping", {}).get("enabled") else "",
        "agreement": f"agreement {level} {contexts}" if agreement.get("enabled") else "",
        "contrastive": "contrastive" if objective.get("contrastive", {}).get("enabled") else "",
        "match": ("match alone" if alone else "match") if matching.get("enabled") else "",
    }
    on = tuple(name for name in MECHANISMS if told[name])
    return _Parts(_base(objective), on, tuple(told[name] for name in on))


def _base(objective: Mapping[str, Any]) -> str:
    completions = objective.get("completions", "rollout")
    if objective.get("loss", "divergence") == "cross_entropy":
        return {"reference": "sft", "presampled": "ssd"}.get(completions, f"sft {completions}")
    alpha = objective.get("alpha", 0.0)
    divergence = {0: "sdft", 1: "opsd"}.get(alpha, "jsd")
    if divergence == "jsd" and completions == "mixed":
        return "gkd"
    return divergence if completions == "rollout" else f"{divergence} {completions}"


_PRESET_OF: Final = {_parts(preset.settings): preset.name for preset in PRESETS.values()}
