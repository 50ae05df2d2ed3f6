"""What lists show of a run's configuration, kept in columns beside it.

A configuration never changes, so these are written once, with the run.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from sqlalchemy.engine.default import DefaultExecutionContext

from core.methods import method_of
from core.states import RunKind


class Facts(NamedTuple):
    """Of one configuration; None where it has no such thing."""

    model: str | None
    data: str | None
    seed: int | None
    method: str | None
    mechanisms: str | None
    """Names with a space before and after each, so that one can be looked for."""


def facts(config: Mapping[str, Any], kind: str) -> Facts:
    """The facts of a `RunConfig` or an `EvaluationJob` as plain data."""
    model = config.get("model", {}).get("name")
    if kind == RunKind.EVALUATION:
        names = [one["name"] for one in config.get("sets", [])]
        return Facts(model, ", ".join(names) or None, config.get("seed"), None, None)
    if kind == RunKind.EXPORT:  # what it was trained on says the run that it is of
        return Facts(model, config.get("facts", {}).get("run"), None, None, None)
    data = config.get("data", {})
    method = method_of(config)
    return Facts(
        model=model,
        data=data.get("path") or data.get("benchmark") or data.get("dataset"),
        seed=config.get("training", {}).get("seed"),
        method=method.name,
        mechanisms=f" {' '.join(method.mechanisms)} ",
    )


def fact(name: str) -> Callable[[DefaultExecutionContext], Any]:
    """Default of a column: that fact of the row's configuration."""

    def default(context: DefaultExecutionContext) -> Any:  # noqa: ANN401 - text or number
        row = context.get_current_parameters()  # type: ignore[no-untyped-call]
        return getattr(facts(row["config"] or {}, row.get("kind") or RunKind.TRAINING), name)

    return default
