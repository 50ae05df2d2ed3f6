"""Retention of single results, and across the states of a run's weights."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal, NamedTuple

from sqlalchemy.orm import Session

from app.evaluations.comparison import rate_intervals
from app.models import Run, RunEvent
from app.retention import repository
from app.retention.repository import weights_of
from app.retention.schemas import EvaluatedWeights, PendingEvaluation, RetentionCurve
from app.statistics import Interval
from core.config import RunConfig
from core.evaluation_config import EvaluationSet, training_sets
from core.evaluation_job import EvaluationJob
from core.states import TERMINAL, RunKind


class _State(NamedTuple):
    """Which weights, after how many steps, and whether they are what the run ended with."""

    weights: Literal["base", "student", "ema"]
    step: int
    last: bool = False


def curve(session: Session, run: Run) -> RetentionCurve:
    """Every evaluated state of a run's weights: inside the run, and by evaluations of their own.

    An evaluation of its own has the states that it asked alone.
    """
    others = repository.evaluations_of(session, run.id) if run.kind is RunKind.TRAINING else []
    source = _source(session, run)
    asked = {one.id: _state(one, run) for one in others}
    if run.kind is RunKind.EVALUATION:
        asked[run.id] = _state(run, source)
    events = repository.results(session, [run.id, *(one.id for one in others)])
    return RetentionCurve(
        items=_items(events, asked),
        pending=[_pending(one, asked[one.id]) for one in others if one.status not in TERMINAL],
        sets=_sets([run, *others]),
        source_run_id=source.id if source else None,
        source_run_name=source.name if source else None,
    )


def _source(session: Session, run: Run) -> Run | None:
    weights = weights_of(run) if run.kind is RunKind.EVALUATION else None
    found = session.get(Run, weights.run_id) if weights else None
    return None if found is None or found.deleting else found


def _state(evaluation: Run, source: Run | None) -> _State:
    weights = weights_of(evaluation)
    if weights is None:
        return _State("student" if evaluation.config.get("adapter") else "base", 0)
    is_ema = weights.folder == "ema_adapter" or evaluation.config.get("weights") == "ema"
    kind: Literal["ema", "student"] = "ema" if is_ema else "student"
    if weights.step is not None:
        return _State(kind, weights.step)
    return _State(kind, source.step if source else 0, last=True)


def _items(events: Sequence[RunEvent], asked: Mapping[str, _State]) -> list[EvaluatedWeights]:
    bases = _base_accuracies([event for event in events if event.run_id not in asked], events)
    # A later attempt did the steps again; what an evaluation found anew is what counts.
    newest = {
        (event.run_id, event.payload["set"], event.payload["step"]): event for event in events
    }
    found = [_item(event, asked.get(event.run_id), bases) for event in newest.values()]
    return sorted(found, key=lambda one: (one.set, one.step, one.weights, one.time))


def _base_accuracies(
    inside: Sequence[RunEvent], events: Sequence[RunEvent]
) -> dict[tuple[str, Any], float]:
    """What the base could do, by set and number of questions, where something tells it.

    Args:
        inside: results of the run itself; before its first step it is the base.
        events: all results.
    """
    firsts = [(event, event.payload["summary"].get("accuracy")) for event in inside]
    told = [(event, _kept(event).get("base_accuracy")) for event in events]
    return {
        (event.payload["set"], event.payload["summary"].get("questions")): float(base)
        for event, base in [*(one for one in firsts if one[0].payload["step"] == 0), *told]
        if base is not None
    }


def _kept(event: RunEvent) -> Mapping[str, Any]:
    found: Mapping[str, Any] = event.payload["summary"].get("retention", {})
    return found


def _item(
    event: RunEvent, asked: _State | None, bases: Mapping[tuple[str, Any], float]
) -> EvaluatedWeights:
    name, summary = event.payload["set"], event.payload["summary"]
    step = int(event.payload["step"])
    state = asked or _State("student" if step else "base", step)
    kept = _kept(event)
    forward, gold = kept.get("forward", {}), kept.get("gold", {})
    accuracy = summary.get("accuracy")
    base = kept.get("base_accuracy", bases.get((name, summary.get("questions"))))
    return EvaluatedWeights(
        name=f"{event.run_id}:{event.cursor}",
        run_id=event.run_id,
        cursor=event.cursor,
        set=name,
        questions=summary.get("questions"),
        weights=state.weights,
        step=state.step,
        last=state.last,
        time=event.time,
        accuracy=_accuracy(summary),
        base_accuracy=base,
        gain=None if accuracy is None or base is None else accuracy - base,
        jsd=forward.get("jsd", {}).get("mean"),
        base_logprob=forward.get("base_logprob", {}).get("mean"),
        base_perplexity=_finite(forward.get("base_perplexity")),
        gold_perplexity=_finite(gold.get("tuned_perplexity")),
        gold_base_perplexity=_finite(gold.get("base_perplexity")),
    )


def _accuracy(summary: Mapping[str, Any]) -> Interval:
    found = rate_intervals(summary).get("accuracy")
    note = "several answers to a question: no interval of a rate"
    return found or Interval(
        estimate=summary.get("accuracy"), n=int(summary.get("questions", 0)), note=note
    )


def _finite(value: Any) -> float | None:  # noqa: ANN401 - of plain data; `written` if not finite
    return float(value) if isinstance(value, int | float) and abs(value) < 1e308 else None


def _pending(evaluation: Run, state: _State) -> PendingEvaluation:
    return PendingEvaluation(
        run_id=evaluation.id,
        name=evaluation.name,
        status=evaluation.status,
        weights="ema" if state.weights == "ema" else "student",
        step=state.step,
        sets=[str(one["name"]) for one in evaluation.config["sets"]],
    )


def _sets(runs: Sequence[Run]) -> list[EvaluationSet]:
    """What was asked, by name; of several ways to ask it the newest."""
    found: dict[str, EvaluationSet] = {}
    for run in runs:
        if run.kind is RunKind.EXPORT:
            continue
        if run.kind is RunKind.EVALUATION:
            sets = list(EvaluationJob.model_validate(run.config).sets)
        else:
            config = RunConfig.model_validate(run.config)
            sets = training_sets(config.evaluation, config.data)
        found |= {one.name: one for one in sets}
    return [found[name] for name in sorted(found)]
