"""Named starting points: UniSD*, each of its mechanisms alone, and the baselines.

A preset is what it sets on top of the defaults: nothing but fields of `RunConfig`.
"""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from difflib import get_close_matches
from typing import Any, Final, NamedTuple

from core.errors import Problem, StudioError

Settings = Mapping[str, Any]


class Preset(NamedTuple):
    """A named starting point.

    Attributes:
        name: short and stable.
        summary: one line for people who choose.
        formula: the loss per token, in the symbols of `core.objective_config`.
        settings: nested fields of `RunConfig`.
    """

    name: str
    summary: str
    formula: str
    settings: Settings


_ON: Final = {"enabled": True}
_EMA: Final = {"weights": "ema"}
_FORWARD_KL: Final = "KL(p_T ‖ p_S)"


def _agreement(level: str, contexts: str) -> Preset:
    context = {
        "random": "other records' worked examples",
        "retrieval": "the worked examples of the most similar records",
        "induction": "instructions that the model induced",
    }[contexts]
    return Preset(
        f"agreement_{level}_{contexts}",
        f"sdft, each {level} weighted by the agreement of teachers behind {context}.",
        f"w · {_FORWARD_KL}",
        {"objective": {"agreement": {"enabled": True, "level": level, "contexts": contexts}}},
    )


PRESETS: Final[dict[str, Preset]] = {
    preset.name: preset
    for preset in (
        Preset(
            "sdft",
            "On-policy forward KL to the frozen model behind the worked example "
            "(arXiv 2601.19897).",
            _FORWARD_KL,
            {},
        ),
        Preset(
            "sft",
            "Static imitation: cross-entropy on the reference completions.",
            "−log p_S(y_ref)",
            {"objective": {"loss": "cross_entropy", "completions": "reference"}},
        ),
        Preset(
            "gkd",
            "Generalized JSD on a mixture of rollouts and references (arXiv 2306.13649).",
            "JSD_α(p_S, p_T), α = 0.5",
            {"objective": {"completions": "mixed", "on_policy_share": 0.5, "alpha": 0.5}},
        ),
        Preset(
            "opsd",
            "On-policy reverse KL to the model behind the reference, without clipping.",
            "KL(p_S ‖ p_T)",
            {"objective": {"alpha": 1.0}},
        ),
        Preset(
            "ssd",
            "Cross-entropy on completions that the base model sampled once, truncated and "
            "unverified.",
            "−log p_S(y_base)",
            {
                "objective": {"loss": "cross_entropy", "completions": "presampled"},
                "generation": {"temperature": 1.0, "top_p": 0.95, "top_k": 20},
            },
        ),
        Preset(
            "ema",
            "sdft with a moving average of the student as teacher.",
            _FORWARD_KL,
            {"teacher": _EMA},
        ),
        Preset(
            "live",
            "sdft with the live student as teacher.",
            _FORWARD_KL,
            {"teacher": {"weights": "student"}},
        ),
        Preset(
            "clip",
            "sdft, the divergence of a token bounded by 10 nats.",
            f"min({_FORWARD_KL}, c)",
            {"objective": {"clipping": _ON}},
        ),
        *(
            _agreement(level, contexts)
            for level in ("token", "sequence")
            for contexts in ("random", "retrieval", "induction")
        ),
        Preset(
            "contrastive",
            "sdft, pushed from a teacher behind a wrong demonstration.",
            f"{_FORWARD_KL} + λ_c · max(0, margin + |s − t| − |s − n|)",
            {"objective": {"contrastive": _ON}},
        ),
        Preset(
            "match_joint",
            "sdft and the distance of the final hidden states.",
            f"{_FORWARD_KL} + λ_f · mean (h_S − h_T)²",
            {"objective": {"feature_matching": _ON}},
        ),
        Preset(
            "match_representation",
            "The distance of the final hidden states alone.",
            "mean (h_S − h_T)²",
            {"objective": {"feature_matching": {"enabled": True, "mode": "representation_only"}}},
        ),
        Preset(
            "unisd_star",
            "UniSD*: EMA teacher, token-level agreement, contrastive and joint feature matching.",
            f"w · {_FORWARD_KL} + λ_c · max(0, margin + |s − t| − |s − n|) "
            "+ λ_f · mean (h_S − h_T)²",
            {
                "teacher": _EMA,
                "objective": {"agreement": _ON, "contrastive": _ON, "feature_matching": _ON},
            },
        ),
    )
}


def expand_preset(raw: Settings) -> dict[str, Any]:
    """Put a configuration on top of the preset that its key `preset` names, if there is one.

    Raises:
        StudioError: `preset_unknown`.
    """
    rest = {name: value for name, value in raw.items() if name != "preset"}
    if "preset" not in raw:
        return rest
    preset = PRESETS.get(str(raw["preset"]))
    if preset is None:
        close = get_close_matches(str(raw["preset"]), PRESETS, n=1)
        hint = f"Did you mean “{close[0]}”? " if close else ""
        raise StudioError(
            Problem(
                code="preset_unknown",
                message=f"There is no preset “{raw['preset']}”.",
                remedy=f"{hint}`unisd presets` lists them: {', '.join(PRESETS)}.",
                field="preset",
            )
        )
    return merge(preset.settings, rest)


def merge(under: Settings, over: Settings) -> dict[str, Any]:
    """Nested settings, those of `over` winning."""
    merged = deepcopy(dict(under))
    for name, value in over.items():
        below: Any = merged.get(name)
        both = isinstance(below, Mapping) and isinstance(value, Mapping)
        merged[name] = merge(below, value) if both else value
    return merged
