"""Studies: factors × levels × seeds, expanded into the runs that answer one question.

A cell's configuration is the plan's `base` with each factor's level put on top, in the order in
which the factors are written, and the seed last. Base and levels may each name a `preset`, which
stands for the settings that it sets.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from itertools import product
from typing import Annotated, Any, Final, NamedTuple, Self

from pydantic import BeforeValidator, Field, StringConstraints, ValidationError, model_validator

from core.config import RunConfig
from core.config_part import Part, ShortText
from core.errors import Problem, StudioError
from core.presets import expand_preset, merge
from core.schedule import Schedule
from core.validation import parse_config

MAX_CELLS: Final = 2000
_NAME_LENGTH: Final = 200
"""As long as the name of a run may be."""


def _as_written(given: Any) -> Any:  # noqa: ANN401 - whatever the file holds
    """YAML and JSON read the names `on`, `true` or `0.5` as other things than text."""
    if isinstance(given, bool):
        return "on" if given else "off"
    return str(given) if isinstance(given, int | float) else given


DEFAULT_PROJECT: Final = "Default"
"""Holds what names no project."""

_Word = Annotated[
    str,
    BeforeValidator(_as_written),
    StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.+-]*$", max_length=60),
]
"""Part of a run's name and of a folder's."""
_Settings = dict[str, Any]
_Choice = frozenset[tuple[str, str]]
"""A factor and its level, or nothing: the base."""
_Levels = Annotated[dict[_Word, _Settings], Field(min_length=1, max_length=200)]


class StudyPlan(Part):
    """A question put to runs: what varies, what stays, and what is looked at."""

    name: ShortText = Field(description="Name of the study.")
    project: ShortText = Field(
        default=DEFAULT_PROJECT,
        description="Project that holds the runs and whose data sets they name; "
        "made if it does not exist.",
    )
    base: _Settings = Field(
        description="What all cells share: a part of a run's configuration, or a whole one."
    )
    factors: dict[_Word, _Levels] = Field(
        default_factory=dict,
        max_length=20,
        description="Factor to level to the part of a configuration that the level sets.",
    )
    seeds: tuple[Annotated[int, Field(ge=0, le=2**32 - 1)], ...] = Field(
        default=(1,),
        min_length=1,
        max_length=1000,
        description="Each cell runs once with each of these as `training.seed`.",
    )
    metrics: tuple[ShortText, ...] = Field(
        default=("eval/*/accuracy",),
        min_length=1,
        max_length=100,
        description="Outcomes to compare: names of metrics, where `*` stands for anything.",
    )
    baseline: dict[_Word, _Word] = Field(
        default_factory=dict,
        description="Level of a factor against which its effects are taken. Default: its first.",
    )
    schedule: Schedule = Field(
        default_factory=Schedule, description="Priority, place and limits of all runs."
    )
    exclude: tuple[dict[_Word, _Word], ...] = Field(
        default=(),
        max_length=1000,
        description="Combinations of levels that are left out; factors not named match any level.",
    )

    @model_validator(mode="after")
    def _names_are_known(self) -> Self:
        if len(set(self.seeds)) < len(self.seeds):
            raise ValueError("`seeds` names one twice")
        for where, chosen in (
            ("baseline", self.baseline),
            *((f"exclude.{index}", levels) for index, levels in enumerate(self.exclude)),
        ):
            for factor, level in chosen.items():
                known = self.factors.get(factor)
                if known is None:
                    raise ValueError(f"`{where}` names the factor “{factor}”, which is not there")
                if level not in known:
                    told = ", ".join(known)
                    raise ValueError(
                        f"`{where}` names the level “{level}” of “{factor}”, which has {told}"
                    )
        if not all(self.exclude):
            raise ValueError("an entry of `exclude` that names no level would leave out everything")
        return self

    @property
    def baselines(self) -> dict[str, str]:
        """The baseline level of every factor."""
        return {
            factor: self.baseline.get(factor, next(iter(levels)))
            for factor, levels in self.factors.items()
        }


class Cell(NamedTuple):
    """One run of a study.

    Attributes:
        name: the levels and the seed in words; unique in the study, fit for a folder.
        levels: factor to level.
        seed: the run's `training.seed`.
        config: what runs.
    """

    name: str
    levels: dict[str, str]
    seed: int
    config: RunConfig


def parse_plan(raw: Mapping[str, Any]) -> StudyPlan:
    """Validate a plan, without its configurations (`cells` does those).

    Raises:
        StudioError: one problem (`study_invalid`) for each mistake.
    """
    try:
        return StudyPlan.model_validate(raw)
    except ValidationError as error:
        raise StudioError(*map(_plan_problem, error.errors(include_url=False))) from None


def cells(plan: StudyPlan) -> list[Cell]:
    """All runs of a plan: seeds innermost, the last factor's levels changing before the first's.

    Raises:
        StudioError: `study_too_large`, `study_empty`, `study_repeats`, or the mistakes of all
            configurations, each naming factor, level and field.
    """
    count = math.prod(map(len, plan.factors.values())) * len(plan.seeds)
    if count > MAX_CELLS:
        raise _mistake(
            "study_too_large",
            f"The plan asks for {count} runs; at most {MAX_CELLS} are allowed.",
            "Use fewer factors, levels or seeds, or split the study.",
        )
    layers = _expand_layers(plan)
    combinations = list(assignments(plan))
    found: list[Cell] = []
    mistakes: dict[tuple[_Choice, Problem], list[dict[str, str]]] = {}
    for levels in combinations:
        for seed in plan.seeds:
            try:
                found.append(_cell(levels, seed, layers))
            except StudioError as error:
                for problem in error.problems:
                    mistakes.setdefault(_located(problem, levels, layers), []).append(levels)
                break  # another seed has the same mistakes
    if mistakes:
        raise StudioError(
            *(
                _with_cell(problem, where, sum(choice <= levels.items() for levels in combinations))
                for (choice, problem), where in mistakes.items()
            )
        )
    if not found:
        raise _mistake("study_empty", "The plan excludes all of its cells.", "Exclude less.")
    _check_distinct(found)
    return found


def place_problem(problem: Problem, plan: StudyPlan, levels: Mapping[str, str]) -> Problem:
    """A mistake in a cell's configuration, told with the factor, level and field that made it."""
    return _located(problem, levels, _expand_layers(plan))[1]


class _Layers(NamedTuple):
    """Settings with their presets expanded."""

    base: _Settings
    levels: dict[tuple[str, str], _Settings]


def _expand_layers(plan: StudyPlan) -> _Layers:
    problems: list[Problem] = []

    def expand(settings: _Settings, place: str, words: str) -> _Settings:
        try:
            return expand_preset(settings)
        except StudioError as error:
            for problem in error.problems:
                told = {"message": f"{words}: {problem.message}", "field": f"{place}.preset"}
                problems.append(problem.model_copy(update=told))
            return {}

    layers = _Layers(
        expand(plan.base, "base", "Base"),
        {
            (factor, level): expand(settings, f"factors.{factor}.{level}", _words(factor, level))
            for factor, levels in plan.factors.items()
            for level, settings in levels.items()
        },
    )
    if problems:
        raise StudioError(*problems)
    return layers


def assignments(plan: StudyPlan) -> Iterator[dict[str, str]]:
    """Every combination of levels that is not excluded, the last factor's changing first."""
    for chosen in product(*plan.factors.values()):
        levels = dict(zip(plan.factors, chosen, strict=True))
        if not any(excluded.items() <= levels.items() for excluded in plan.exclude):
            yield levels


def cell_name(levels: Mapping[str, str], seed: int) -> str:
    """A run's levels and seed in words; unique in its study, fit for a folder."""
    return ",".join([*(f"{factor}={level}" for factor, level in levels.items()), f"seed={seed}"])


def _cell(levels: dict[str, str], seed: int, layers: _Layers) -> Cell:
    settings: _Settings = layers.base
    for choice in levels.items():
        settings = merge(settings, layers.levels[choice])
    if isinstance(settings.get("training", {}), Mapping):
        settings = merge(settings, {"training": {"seed": seed}})
    name = cell_name(levels, seed)
    if len(name) > _NAME_LENGTH:
        raise _mistake(
            "study_invalid",
            f"The cell “{name}” would have a name of more than {_NAME_LENGTH} characters.",
            "Give factors and levels shorter names.",
        )
    return Cell(name, levels, seed, parse_config(settings))


def _located(
    problem: Problem, levels: Mapping[str, str], layers: _Layers
) -> tuple[_Choice, Problem]:
    """The last level that set the field, or none for the base, and the problem told with it."""
    if problem.code == "study_invalid":
        return frozenset(), problem
    path = problem.field.split(".") if problem.field else []
    choice: _Choice = frozenset()
    place, words = "base", "Base"
    for factor, level in reversed(list(levels.items())):
        if path and _sets(layers.levels[factor, level], path):
            choice = frozenset({(factor, level)})
            place, words = f"factors.{factor}.{level}", _words(factor, level)
            break
    told = {"message": f"{words}: {problem.message}", "field": ".".join([place, *path])}
    return choice, problem.model_copy(update=told)


def _with_cell(problem: Problem, where: list[dict[str, str]], suspects: int) -> Problem:
    """The problem with a cell that has it, where not all of the suspected level's cells do."""
    if len(where) == suspects:
        return problem
    cell = ", ".join(f"{factor}={level}" for factor, level in where[0].items())
    return problem.model_copy(update={"message": f"{problem.message} (In the cell {cell}.)"})


def _sets(settings: Any, path: list[str]) -> bool:  # noqa: ANN401 - nested settings
    """Whether settings hold a value at the path, above it or below it."""
    for name in path:
        if not isinstance(settings, Mapping):
            return True
        if name not in settings:
            return False
        settings = settings[name]
    return True


def _check_distinct(found: list[Cell]) -> None:
    seen: dict[str, Cell] = {}
    for cell in found:
        earlier = seen.setdefault(cell.config.model_dump_json(), cell)
        if earlier is not cell:
            raise _mistake(
                "study_repeats",
                f"The cells “{earlier.name}” and “{cell.name}” have the same configuration.",
                "Levels must differ in what they set. A preset is what it sets: on a base that "
                "names another preset, `sdft` changes nothing.",
            )


def _words(factor: str, level: str) -> str:
    return f"Factor “{factor}”, level “{level}”"


def _mistake(code: str, message: str, remedy: str) -> StudioError:
    return StudioError(Problem(code=code, message=message, remedy=remedy))


def _plan_problem(error: Any) -> Problem:  # noqa: ANN401 - one of pydantic's
    field = ".".join(str(part) for part in error["loc"])
    kind = error["type"]
    if kind == "extra_forbidden":
        known = ", ".join(StudyPlan.model_fields)
        message, remedy = f"A plan has no field “{field}”.", f"Remove it. Known: {known}."
    elif kind == "missing":
        message, remedy = f"The plan's field “{field}” is missing.", "Fill it in."
    else:
        reason = str(error["msg"]).removeprefix("Value error, ").rstrip(".")
        message = f"{field}: {reason}." if field else f"{reason[:1].upper()}{reason[1:]}."
        spelling = kind == "string_pattern_mismatch"
        remedy = "Names are letters, digits and _.+- alone." if spelling else "Change the value."
    return Problem(code="study_invalid", message=message, remedy=remedy, field=field or None)
