from __future__ import annotations

from contextlib import suppress
from itertools import product
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import StudioError
from core.presets import PRESETS
from core.study import MAX_CELLS, Cell, cells, parse_plan, place_problem
from core.validation import parse_config

BASE: dict[str, Any] = {"data": {"path": "examples.jsonl"}, "training": {"max_steps": 5}}
PLAN: dict[str, Any] = {
    "name": "s",
    "base": BASE,
    "factors": {
        "method": {"sdft": {"preset": "sdft"}, "gkd": {"preset": "gkd"}},
        "ema": {"off": {}, "on": {"teacher": {"weights": "ema"}}},
    },
    "seeds": [3, 4],
}


def expand(**changes: Any) -> list[Cell]:
    return cells(parse_plan(PLAN | changes))


def refused(**changes: Any) -> list[Any]:
    with pytest.raises(StudioError) as error:
        expand(**changes)
    return list(error.value.problems)


def test_cells_are_the_product_in_the_plans_order():
    found = expand()
    assert [(tuple(cell.levels.values()), cell.seed) for cell in found] == list(
        product(product(("sdft", "gkd"), ("off", "on")), (3, 4))
    )
    assert found[0].name == "method=sdft,ema=off,seed=3"
    assert len({cell.name for cell in found}) == len(found)


def test_a_cell_is_the_base_with_its_levels_and_its_seed_on_top():
    last = expand()[-1].config
    by_hand = parse_config(
        {
            "preset": "gkd",
            "data": {"path": "examples.jsonl"},
            "teacher": {"weights": "ema"},
            "training": {"max_steps": 5, "seed": 4},
        }
    )
    assert last == by_hand


def test_a_level_wins_over_the_base_and_its_own_fields_over_its_preset():
    found = expand(
        base={**BASE, "preset": "gkd", "generation": {"temperature": 0.5}},
        factors={"method": {"ssd": {"preset": "ssd", "generation": {"top_k": 7}}}},
        seeds=[1],
    )
    generation = found[0].config.generation
    assert (generation.temperature, generation.top_k, generation.top_p) == (1.0, 7, 0.95)


def test_every_preset_can_be_a_level():
    found = expand(factors={"method": {name: {"preset": name} for name in PRESETS}}, seeds=[1])
    assert [cell.levels["method"] for cell in found] == list(PRESETS)


def test_a_factor_without_others_and_no_factor_at_all():
    assert [cell.name for cell in expand(factors={})] == ["seed=3", "seed=4"]


def test_what_is_excluded_is_left_out():
    found = expand(exclude=[{"method": "gkd", "ema": "on"}])
    assert {tuple(cell.levels.values()) for cell in found} == {
        ("sdft", "off"),
        ("sdft", "on"),
        ("gkd", "off"),
    }
    (problem,) = refused(exclude=[{"ema": "off"}, {"ema": "on"}])
    assert problem.code == "study_empty"


def test_names_that_files_read_as_other_things_are_words():
    plan = parse_plan({**PLAN, "baseline": {"ema": True}, "exclude": [{"ema": False}]})
    assert plan.baselines == {"method": "sdft", "ema": "on"}
    assert plan.exclude == ({"ema": "off"},)
    rates = {"rate": {"0.5": {}, "1": {"objective": {"alpha": 1.0}}}}
    assert parse_plan({**PLAN, "factors": rates, "baseline": {"rate": 1}}).baselines["rate"] == "1"


def test_a_mistake_names_factor_level_and_field():
    factors = {**PLAN["factors"], "ema": {"off": {}, "on": {"teacher": {"weigths": "ema"}}}}
    (problem,) = refused(factors=factors)
    assert problem.field == "factors.ema.on.teacher.weigths"
    assert "Factor “ema”, level “on”" in problem.message
    assert "weights" in problem.remedy


def test_mistakes_of_the_base_are_told_once():
    (problem,) = refused(base={"training": {"max_steps": 5}})
    assert problem.field == "base.data"
    (problem,) = refused(base={**BASE, "training": {"max_steps": 0}})
    assert problem.field == "base.training.max_steps"
    (problem,) = refused(base={**BASE, "training": 7})
    assert problem.field == "base.training"


def test_all_mistakes_are_told_at_once():
    factors = {
        "a": {"x": {"training": {"batch_size": 0}}, "y": {"generation": {"temperature": 99}}},
        "b": {"z": {"preset": "sdft"}},
    }
    assert {problem.field for problem in refused(factors=factors)} == {
        "factors.a.x.training.batch_size",
        "factors.a.y.generation.temperature",
    }


def test_an_unknown_preset_names_its_level():
    (problem,) = refused(factors={"method": {"sdft": {}, "new": {"preset": "sdfft"}}})
    assert problem.field == "factors.method.new.preset"
    assert "sdft" in problem.remedy
    (problem,) = refused(base={**BASE, "preset": "none"})
    assert problem.field == "base.preset"


def test_levels_that_do_not_fit_together_are_told_with_their_cell():
    (problem,) = refused(
        factors={
            "method": {"sft": {"preset": "sft"}, "sdft": {"preset": "sdft"}},
            "contrast": {"off": {}, "on": {"objective": {"contrastive": True}}},
        }
    )
    assert problem.field is not None
    assert problem.field.startswith("factors.")
    assert "method=sft, contrast=on" in problem.message


def test_levels_that_change_nothing_are_refused():
    (problem,) = refused(
        base={**BASE, "preset": "gkd"},
        factors=PLAN["factors"]
        | {"method": {"sdft": {"preset": "sdft"}, "gkd": {"preset": "gkd"}}},
    )
    assert problem.code == "study_repeats"
    assert "method=sdft" in problem.message
    assert "method=gkd" in problem.message


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"baseline": {"ema": "maybe"}}, None),
        ({"baseline": {"none": "on"}}, None),
        ({"exclude": [{"ema": "maybe"}]}, None),
        ({"exclude": [{}]}, None),
        ({"seeds": [1, 1]}, None),
        ({"seeds": [-1]}, "seeds.0"),
        ({"seeds": []}, "seeds"),
        ({"factors": {"ema": {}}}, "factors.ema"),
        ({"factors": {"a/b": {"x": {}}}}, "factors.a/b.[key]"),
        ({"factors": {"a": {"..": {}}}}, "factors.a....[key]"),
        ({"colour": 1}, "colour"),
        ({"base": [1]}, "base"),
    ],
)
def test_plans_that_make_no_sense_are_refused(change, field):
    problems = refused(**change)
    assert {problem.code for problem in problems} == {"study_invalid"}
    assert problems[0].field == field
    assert problems[0].remedy


def test_too_many_cells_are_refused_before_they_are_made():
    (problem,) = refused(seeds=list(range(1000)))
    assert problem.code == "study_too_large"
    assert str(MAX_CELLS) in problem.message


def test_a_problem_found_elsewhere_can_be_placed():
    plan = parse_plan(PLAN)
    (found,) = refused(base={"training": {"max_steps": 5}})
    elsewhere = found.model_copy(update={"field": "teacher.weights", "message": "Bad."})
    placed = place_problem(elsewhere, plan, {"method": "gkd", "ema": "on"})
    assert placed.field == "factors.ema.on.teacher.weights"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["training", "objective", "preset", "seed", "data", "on", "x"]),
            inner,
            max_size=3,
        )
    ),
    max_leaves=8,
)


@given(JSON, JSON, JSON)
def test_whatever_a_plan_holds_ends_in_cells_or_problems(base, levels, rest):
    with suppress(StudioError):
        assert cells(parse_plan({**PLAN, "base": base, "factors": {"a": levels}, "exclude": rest}))
