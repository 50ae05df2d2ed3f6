"""Configurations from text: nothing is lost, and mistakes name line and field."""

from __future__ import annotations

import json
from itertools import pairwise

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from core.config import RunConfig
from core.config_text import config_from_text, yaml_text
from core.errors import StudioError

TEXT = """\
# A comment
preset: unisd_star
data:
  path: examples.jsonl
training:
  learning_rate: 1e-4
  max_steps: 20
"""


def _mistakes(text: str) -> list[tuple[int | None, str | None]]:
    with pytest.raises(StudioError) as caught:
        config_from_text(text)
    return [(problem.line, problem.field) for problem in caught.value.problems]


def test_yaml_and_json_say_the_same():
    config = config_from_text(TEXT)
    assert config.training.learning_rate == 1e-4
    assert config.objective.agreement.enabled
    assert config_from_text(json.dumps(config.model_dump(mode="json"), indent=2)) == config


@given(st.floats(1e-8, 1), st.text(min_size=1, max_size=300), st.sampled_from(["ema", "base"]))
@example(1e-4, "\x85", "ema")
@example(1e-4, "a\u2028b\u2029 c\x85d", "ema")
@settings(max_examples=50, deadline=None)
def test_nothing_is_lost_on_the_way_out_and_in(rate, prompt, weights):
    config = RunConfig.model_validate(
        {
            "data": {"path": "d", "system_prompt": prompt},
            "training": {"learning_rate": rate},
            "teacher": {"weights": weights},
        }
    )
    raw = config.model_dump(mode="json")
    for text in (yaml_text(raw), json.dumps(raw)):
        assert config_from_text(text) == config


def test_every_mistake_has_its_line_and_field():
    text = TEXT.replace("1e-4", "fast").replace("max_steps", "max_step")
    assert _mistakes(text) == [(6, "training.learning_rate"), (7, "training.max_step")]


def test_a_missing_field_is_told_at_the_part_that_lacks_it():
    assert _mistakes("training:\n  seed: 1\n") == [(1, "data")]
    assert _mistakes("training:\n  seed: 1\ndata:\n  shuffle: true\n") == [(3, "data.path")]


def test_a_field_that_stands_there_twice_would_be_lost():
    assert _mistakes("data:\n  path: a\n  path: b\n") == [(3, "data.path")]


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("data:\n  path: [a\n", 3),
        ("data: {path: a\n\tb: c", 2),
        ("", 1),
        ("- a\n- b", 1),
        ("just words", 1),
        ("[" * 3000, 1),
        ("data: 2026-02-31\n", 1),
        (
            "a: &a [x, x, x, x, x, x, x, x, x]\n"
            + "".join(
                f"{b}: &{b} [{', '.join([f'*{a}'] * 9)}]\n" for a, b in pairwise("abcdefghi")
            ),
            1,
        ),
        ("data: !!python/object:os.system x", 1),
    ],
)
def test_what_is_no_configuration_is_refused_with_its_line(text, line):
    assert _mistakes(text)[0][0] == line
