"""Presets, the switches of mechanisms, and combinations that are refused with a reason."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import StudioError
from core.presets import PRESETS, expand_preset, merge
from core.validation import parse_config

DATA = {"data": {"path": "x"}}


def refused(**parts: object) -> tuple[str | None, str, str]:
    with pytest.raises(StudioError) as caught:
        parse_config({**DATA, **parts})
    problem = caught.value.problem
    return problem.field, problem.message, problem.remedy


@pytest.mark.parametrize("name", PRESETS)
def test_every_preset_is_a_configuration(name: str) -> None:
    preset = PRESETS[name]
    config = parse_config({"preset": name, **DATA})
    assert preset.name == name
    assert preset.summary.endswith(".")
    for part, settings in preset.settings.items():
        for field, value in settings.items():
            found = getattr(getattr(config, part), field)
            for inner, expected in value.items() if isinstance(value, dict) else ():
                assert getattr(found, inner) == expected
            if not isinstance(value, dict):
                assert found == value


def test_what_is_written_wins_over_the_preset() -> None:
    config = parse_config(
        {"preset": "unisd_star", **DATA, "objective": {"agreement": {"gamma": 3}}}
    )
    assert config.objective.agreement.gamma == 3
    assert config.objective.agreement.enabled
    assert config.objective.contrastive.enabled
    assert config.teacher.weights == "ema"


def test_an_unknown_preset_is_named_with_a_guess() -> None:
    with pytest.raises(StudioError) as caught:
        expand_preset({"preset": "unisd_stra"})
    assert caught.value.problem.code == "preset_unknown"
    assert "unisd_star" in caught.value.problem.remedy


@given(
    st.dictionaries(st.sampled_from("abc"), st.integers()),
    st.dictionaries(st.sampled_from("abc"), st.integers()),
)
def test_merging_lets_the_second_win_and_changes_neither(under: dict, over: dict) -> None:
    nested = {"n": under}
    assert merge(nested, {"n": over}) == {"n": {**under, **over}}
    assert nested == {"n": under}


@pytest.mark.parametrize(
    ("given_as", "on"),
    [(True, True), (False, False), ({}, False), ({"gamma": 2}, True),
     ({"enabled": False, "gamma": 2}, False)],
)  # fmt: skip
def test_naming_a_setting_switches_its_mechanism_on(given_as: object, on: bool) -> None:
    config = parse_config({**DATA, "objective": {"agreement": given_as}})
    assert config.objective.agreement.enabled is on


def test_fewer_than_two_views_and_two_ceilings() -> None:
    field, message, _ = refused(objective={"agreement": {"views": 1}})
    assert field == "objective.agreement.views"
    assert "greater than or equal to 2" in message
    field, message, _ = refused(objective={"clipping": {"ceiling": 5, "quantile": 0.9}})
    assert field == "objective.clipping"
    assert "not both" in message


@pytest.mark.parametrize("mechanism", ["clipping", "agreement", "contrastive", "feature_matching"])
def test_cross_entropy_takes_no_mechanism_that_needs_a_teacher(mechanism: str) -> None:
    field, message, remedy = refused(preset="sft", objective={mechanism: True})
    assert field == f"objective.{mechanism}.enabled"
    assert "teacher" in message
    assert "divergence" in remedy


def test_cross_entropy_takes_no_teacher_and_no_fresh_rollouts() -> None:
    assert refused(preset="sft", teacher={"weights": "ema"})[0] == "teacher.weights"
    field, message, remedy = refused(objective={"loss": "cross_entropy"})
    assert field == "objective.completions"
    assert "gradient is zero" in message
    assert "reference" in remedy


@pytest.mark.parametrize("mechanism", ["clipping", "agreement"])
def test_what_acts_on_the_divergence_needs_one(mechanism: str) -> None:
    field, _, remedy = refused(preset="match_representation", objective={mechanism: True})
    assert field == f"objective.{mechanism}.enabled"
    assert "joint" in remedy


def test_combinations_that_make_sense_are_taken() -> None:
    config = parse_config(
        {
            "preset": "unisd_star",
            **DATA,
            "objective": {"clipping": {"quantile": 0.95}, "completions": "mixed", "alpha": 0.5},
        }
    )
    assert config.objective.uses_divergence
    contrastive = parse_config(
        {"preset": "match_representation", **DATA, "objective": {"contrastive": True}}
    )
    assert not contrastive.objective.uses_divergence
