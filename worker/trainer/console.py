"""Prints a run's events for a person at a terminal."""

from __future__ import annotations

import sys

from core.errors import Problem, StudioError
from core.events import (
    ArtifactEvent,
    EvaluationEvent,
    LogEvent,
    MetricsEvent,
    MetricValue,
    PhaseEvent,
    StartedEvent,
    TrainEvent,
    number,
)


def print_event(event: TrainEvent) -> None:
    """Print what is worth a line: progress, phases, messages."""
    line = describe_event(event)
    if line:
        sys.stdout.write(f"{line}\n")
        sys.stdout.flush()


def describe_event(event: TrainEvent) -> str:
    """One line for an event, or an empty text."""
    match event:
        case StartedEvent():
            return f"Running on {event.device}, weights in {event.dtype}."
        case MetricsEvent():
            return _progress(event)
        case PhaseEvent() if not event.current:
            return f"[{event.phase}] {event.detail}"
        case LogEvent():
            return event.message
        case _:
            return _result(event)


def _result(event: TrainEvent) -> str:
    match event:
        case EvaluationEvent():
            return _evaluated(event)
        case ArtifactEvent():
            return f"Wrote {event.path} ({event.bytes:,} bytes)."
        case _:
            return ""


def print_problems(error: StudioError) -> None:
    """Print each problem on standard error: what, where, and how to mend it."""
    for problem in error.problems:
        sys.stderr.write(f"{describe_problem(problem)}\n")
    sys.stderr.flush()


def describe_problem(problem: Problem) -> str:
    """A problem as a person reads it."""
    place = f" [{problem.field}]" if problem.field else ""
    remedy = f"\n  {problem.remedy}" if problem.remedy else ""
    return f"error ({problem.code}){place}: {problem.message}{remedy}"


def _evaluated(event: EvaluationEvent) -> str:
    found = event.summary
    text = (
        f"{event.set}: {found['accuracy']:.1%} right of {found['questions']} questions, an answer "
        f"found in {found['extracted']:.1%}"
    )
    if "partial" in found:
        text += f", partial credit {found['partial']:.1%}"
    jsd = found.get("retention", {}).get("forward", {}).get("jsd", {}).get("mean")
    return f"{text}." if jsd is None else f"{text}; JSD to the base {jsd:.4f} nats per token."


def _progress(event: MetricsEvent) -> str:
    values = event.values
    if "train/loss" not in values:
        return ""  # an evaluation says itself in a message
    shown = {
        "loss": _number(values.get("train/loss"), ".4f"),
        "lr": _number(values.get("train/learning_rate"), ".2e"),
        "grad": _number(values.get("train/grad_norm"), ".3f"),
        "tokens": _number(values.get("train/completion_length"), ".0f"),
        "s": _number(values.get("time/step"), ".1f"),
    }
    columns = "  ".join(f"{name} {value}" for name, value in shown.items())
    return f"step {event.step}/{event.total_steps}  {columns}"


def _number(value: MetricValue, form: str) -> str:
    return "–" if value is None else format(number(value), form)
