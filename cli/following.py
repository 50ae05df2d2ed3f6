"""Shows a run as it goes on."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import typer

from app.client import Client
from app.runs.schemas import RunDetail, RunEventOut
from cli.telling import NOT_WELL, number, say, tell
from core.errors import Problem
from core.states import RunStatus

_WELL: Final = frozenset({RunStatus.SUCCEEDED, RunStatus.STOPPED})
_EVERY_SHARE: Final = 0.05
"""A line about the progress each time that so much of the run is done."""


def follow(client: Client, run_id: str, after: int, *, as_json: bool) -> None:
    """Say what a run does until it is over.

    Raises:
        typer.Exit: with 1 if it did not end well.
    """
    show = _Shown()
    for event in client.runs.events(run_id, after):
        if as_json:
            say(event.model_dump_json())
        else:
            show(event)
    end = client.runs.get(run_id)
    if not as_json:
        tell(_verdict(end))
    if end.status not in _WELL:
        raise typer.Exit(NOT_WELL)


def _verdict(run: RunDetail) -> str:
    problem = f" {run.problem}" if run.problem else ""
    return f"{run.name} ({run.id}) {run.status}.{problem}"


class _Shown:
    """Says events as lines; of metrics only so many as somebody can read."""

    def __init__(self) -> None:
        self._told: float | None = None
        self._phase = ""
        self._lines: dict[str, Callable[[RunEventOut, dict[str, Any]], str | None]] = {
            "status": self._status,
            "phase": self._phased,
            "metrics": self._metrics,
            "alarm": lambda _, told: f"{told['severity']}: {told['message']} {told['remedy']}",
            "log": lambda _, told: f"{told['level']}: {told['message']}",
            "output": lambda _, told: str(told["text"]),
            "evaluation": self._evaluated,
        }

    def __call__(self, event: RunEventOut) -> None:
        words = self._lines.get(event.kind)
        line = words(event, event.payload) if words else None
        if line:
            say(line.rstrip())

    def _status(self, event: RunEventOut, told: dict[str, Any]) -> str:
        self._told = None
        attempt = f", attempt {event.attempt}" if event.attempt else ""
        problem = Problem.model_validate(told["problem"]) if told.get("problem") else ""
        return f"{told['status']}{attempt} {problem}"

    def _phased(self, _: RunEventOut, told: dict[str, Any]) -> str | None:
        words = " ".join(filter(None, (told["phase"], told["detail"])))
        if words == self._phase:
            return None
        self._phase = words
        return words

    def _metrics(self, _: RunEventOut, told: dict[str, Any]) -> str | None:
        done = told["step"] / told["total_steps"]
        if done < 1 and self._told is not None and done - self._told < _EVERY_SHARE:
            return None
        self._told = done
        loss = told["values"].get("train/loss")
        shown = f"  loss {loss if isinstance(loss, str) else number(loss)}"
        return f"step {told['step']}/{told['total_steps']}{shown if loss is not None else ''}"

    def _evaluated(self, _: RunEventOut, told: dict[str, Any]) -> str:
        accuracy = told["summary"].get("accuracy")
        shown = f" {accuracy:.1%} right" if isinstance(accuracy, float) else ""
        return f"evaluated {told['set']} at step {told['step']}:{shown}"
