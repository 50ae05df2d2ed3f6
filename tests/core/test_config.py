from __future__ import annotations

from collections.abc import Iterator
from typing import Any, get_args

import annotated_types
import pytest
from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo

from core.config import RunConfig
from core.errors import StudioError
from core.validation import parse_config

MINIMAL: dict[str, Any] = {"data": {"path": "examples.jsonl"}}


def _fields(model: type[BaseModel], prefix: str = "") -> Iterator[tuple[str, FieldInfo]]:
    for name, field in model.model_fields.items():
        path = f"{prefix}{name}"
        yield path, field
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            yield from _fields(field.annotation, f"{path}.")


FIELDS = dict(_fields(RunConfig))


@pytest.mark.parametrize("path", FIELDS)
def test_every_field_has_description_and_unit(path: str) -> None:
    field = FIELDS[path]
    assert field.description
    assert field.description.strip().endswith((".", ")"))
    assert isinstance(field.json_schema_extra, dict)
    assert field.json_schema_extra["unit"]


@pytest.mark.parametrize("path", FIELDS)
def test_every_number_is_bounded_on_both_sides(path: str) -> None:
    field = FIELDS[path]
    kinds = {field.annotation, *get_args(field.annotation)}
    if not kinds & {int, float}:
        return
    bounds = field.metadata
    assert any(isinstance(bound, annotated_types.Ge | annotated_types.Gt) for bound in bounds)
    assert any(isinstance(bound, annotated_types.Le | annotated_types.Lt) for bound in bounds)


def test_defaults_are_those_of_the_papers_release() -> None:
    config = parse_config(MINIMAL)
    assert (config.model.lora.rank, config.model.lora.alpha) == (64, 128)
    assert config.model.lora.dropout == 0.05
    assert config.training.learning_rate == 2e-5
    assert (config.training.batch_size, config.training.gradient_accumulation_steps) == (4, 4)
    assert config.training.warmup_ratio == 0.1
    assert config.training.max_grad_norm == 1.0
    assert config.generation.temperature == 0.7
    assert config.objective.alpha == 0.0


def test_a_configuration_survives_the_journey_through_json() -> None:
    config = parse_config(MINIMAL)
    assert RunConfig.model_validate_json(config.model_dump_json()) == config


def test_it_cannot_be_changed() -> None:
    config = parse_config(MINIMAL)
    with pytest.raises(ValidationError):
        config.training.learning_rate = 1.0  # type: ignore[misc]


@pytest.mark.parametrize(
    ("change", "field", "word"),
    [
        ({"training": {"learning_rat": 1e-4}}, "training.learning_rat", "learning_rate"),
        ({"training": {"learning_rate": -1}}, "training.learning_rate", "-1"),
        ({"training": {"learning_rate": float("nan")}}, "training.learning_rate", "finite"),
        ({"generation": {"temperature": "hot"}}, "generation.temperature", "hot"),
        ({"teacher": {"template": "no placeholder"}}, "teacher.template", "{prompt}"),
        ({"model": {"lora": {"rank": 0}}}, "model.lora.rank", "0"),
        ({"version": 2}, "version", "1"),
        ({"colour": "blue"}, "colour", "Known here"),
    ],
)
def test_a_mistake_names_its_field_and_the_remedy(
    change: dict[str, Any], field: str, word: str
) -> None:
    with pytest.raises(StudioError) as raised:
        parse_config(MINIMAL | change)
    (problem,) = raised.value.problems
    assert problem.code == "config_invalid"
    assert problem.field is not None
    assert problem.field == field or (field == "teacher.template" and problem.field == "teacher")
    assert problem.remedy
    assert word in str(problem)


def test_all_mistakes_are_told_at_once() -> None:
    with pytest.raises(StudioError) as raised:
        parse_config({"training": {"seed": -1, "epochs": 0}})
    fields = {problem.field for problem in raised.value.problems}
    assert fields == {"data", "training.seed", "training.epochs"}
