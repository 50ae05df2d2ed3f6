"""Evaluations: answers to questions, their grades, and how near the model stayed to its base."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from app.client.finding import path
from app.client.paging import each, plain
from app.client.transport import Transport
from app.evaluations.quadrants import Quadrant
from app.evaluations.schemas import (
    Comparison,
    EvaluationCreate,
    EvaluationList,
    EvaluationOut,
    Example,
)
from app.retention.schemas import Direction, Retention, RetentionCurve
from app.runs.schemas import RunCreated


class Evaluations:
    """What can be done with evaluations; one is a run, and each set of questions a result of it."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def start(self, wanted: EvaluationCreate | Mapping[str, Any]) -> RunCreated:
        """Queue an evaluation, a run of its own. A lost answer never makes a second one."""
        body = wanted
        if isinstance(wanted, EvaluationCreate):
            body = wanted.model_dump(mode="json", exclude_unset=True)
        answer = self._transport.post("/api/evaluations", plain(body), once=True)
        return RunCreated.model_validate(answer)

    def list(self, run: str) -> Sequence[EvaluationOut]:
        """The results of a run's evaluations, those made while it trained included."""
        answer = self._transport.get(path("runs", run, "evaluations"))
        return EvaluationList.model_validate(answer).items

    def examples(
        self,
        run: str,
        cursor: int,
        *,
        correct: bool | None = None,
        regressed: bool | None = None,
        quadrant: Quadrant | None = None,
        text: str | None = None,
        sort: str = "index",
        most: int | None = None,
    ) -> Iterator[Example]:
        """Every answer of one result, with its grade and its comparison with the base.

        Args:
            run: the run.
            cursor: of the result, as `list` gives it.
            correct: only right, or only wrong ones.
            regressed: only those that the base got right and the model wrong.
            quadrant: only those that base and model got so.
            text: only those with this in prompt or answer.
            sort: `index`, `tokens`, `gain` (what regressed first), `jsd`, `base_logprob`,
                `tuned_logprob`, `reverse_jsd`, `reverse_logprob` or `gold_change`; `-` before it
                sorts downwards.
            most: examples at most; None: all.
        """
        query = {
            "correct": correct,
            "regressed": regressed,
            "quadrant": quadrant,
            "q": text,
            "sort": sort,
        }
        where = path("runs", run, "evaluations", cursor, "examples")
        return each(self._transport, where, query, Example, most, key="index,sample")

    def example(self, run: str, cursor: int, index: int, *, sample: int = 0) -> Example:
        """One answer, with what model and base say of every token of both answers."""
        where = path("runs", run, "evaluations", cursor, "examples", index)
        return Example.model_validate(self._transport.get(where, {"sample": sample}))

    def retention(self, run: str, cursor: int, *, direction: Direction = "forward") -> Retention:
        """What the model has kept of its base, summed up and as a point for each example."""
        where = path("runs", run, "evaluations", cursor, "retention")
        return Retention.model_validate(self._transport.get(where, {"direction": direction}))

    def curve(self, run: str) -> RetentionCurve:
        """Every evaluated state of a run's weights: the gain beside the forgetting."""
        return RetentionCurve.model_validate(self._transport.get(path("runs", run, "retention")))

    def compare(self, first: Sequence[str], second: Sequence[str]) -> Comparison:
        """Two models on the same questions; each side names results as `RUN:CURSOR`, by seed."""
        params = {"first": first, "second": second}
        return Comparison.model_validate(self._transport.get("/api/evaluations/compare", params))
