"""Recorded rollouts of runs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from app.client.finding import path
from app.client.paging import each
from app.client.transport import Transport
from app.trajectories.agreement_schemas import AgreementReport
from app.trajectories.schemas import (
    Distribution,
    FollowedExample,
    Neighbours,
    TrajectoryDetail,
    TrajectoryOverview,
    TrajectorySummary,
)


class Trajectories:
    """Recorded rollouts, token by token."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def list(
        self,
        run: str,
        *,
        filters: Sequence[str] = (),
        attempt: int | None = None,
        pinned: bool | None = None,
        text: str | None = None,
        record_id: str | None = None,
        sort: str = "-step",
        most: int | None = None,
    ) -> Iterator[TrajectorySummary]:
        """Recorded rollouts of a run.

        Args:
            run: its identifier.
            filters: such as `disagreement>=0.5`, `grade=0`, `truncated=true`; all must hold.
            attempt: only those of this attempt.
            pinned: only pinned ones, or only others.
            text: in prompt or completion.
            record_id: only those of this data record.
            sort: `step`, `disagreement` or another of their numbers; `-` before it sorts downwards.
            most: rollouts at most; None: all.
        """
        query = {
            "filter": list(filters) or None,
            "attempt": attempt,
            "pinned": pinned,
            "q": text,
            "record_id": record_id,
            "sort": sort,
        }
        return each(self._transport, self._path(run), query, TrajectorySummary, most)

    def get(self, run: str, trajectory_id: int) -> TrajectoryDetail:
        """A recorded rollout with every token's values."""
        answer = self._transport.get(self._path(run, trajectory_id))
        return TrajectoryDetail.model_validate(answer)

    def neighbours(
        self, run: str, trajectory_id: int, *, filters: Sequence[str] = (), sort: str = "-step"
    ) -> Neighbours:
        """Which rollouts stand before and after one in such a list."""
        query = {"filter": list(filters) or None, "sort": sort}
        answer = self._transport.get(self._path(run, trajectory_id, "neighbours"), query)
        return Neighbours.model_validate(answer)

    def follow(self, run: str, record_id: str, *, pinned: bool | None = None) -> FollowedExample:
        """One record's rollouts, step by step."""
        query = {"record_id": record_id, "pinned": pinned}
        answer = self._transport.get(self._path(run, "example"), query)
        return FollowedExample.model_validate(answer)

    def overview(self, run: str) -> TrajectoryOverview:
        """How many a run has, and what they have of each number."""
        return TrajectoryOverview.model_validate(self._transport.get(self._path(run, "overview")))

    def distribution(
        self, run: str, field: str, *, filters: Sequence[str] = (), bins: int = 40
    ) -> Distribution:
        """How one number is spread over them."""
        query = {"field": field, "bins": bins, "filter": list(filters) or None}
        answer = self._transport.get(self._path(run, "distribution"), query)
        return Distribution.model_validate(answer)

    def agreement(self, run: str) -> AgreementReport:
        """Where the auxiliary teachers disagree; asked until all its files are read."""
        while True:
            answer = self._transport.get(self._path(run, "agreement"))
            report = AgreementReport.model_validate(answer)
            if report.complete:
                return report

    @staticmethod
    def _path(run: str, *rest: Any) -> str:  # noqa: ANN401 - texts and numbers
        return path("runs", run, "trajectories", *rest)
