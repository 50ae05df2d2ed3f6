"""Runs side by side, saved views of their list, and the search."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal

from app.client.arrangements import query_of
from app.client.finding import find_named, path
from app.client.paging import each
from app.client.runs import Runs
from app.client.transport import Transport
from app.comparisons.schemas import Axis, CurveSet, RunComparison, Spread, Statistic
from app.runs.schemas import RunRow
from app.search.schemas import Hit, Hits
from app.views.schemas import ViewOut

ViewKey = Literal["q", "status", "filter", "sort", "group", "columns"]


class Comparisons:
    """What can be told of several runs together. At most 20 at once."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def get(
        self,
        runs: Sequence[str],
        *,
        baseline: str | None = None,
        seeds: bool = True,
        statistic: Statistic = "last",
    ) -> RunComparison:
        """Configurations, metrics with their differences, and evaluations against a baseline.

        Args:
            runs: their identifiers; those that are not there are named in `missing`.
            baseline: what the others are compared against; None: the first.
            seeds: whether runs that differ only in their seeds stand together.
            statistic: which of each metric's values is compared: `last`, `min` or `max`.
        """
        query = {"run": runs, "baseline": baseline, "seeds": seeds, "statistic": statistic}
        return RunComparison.model_validate(self._transport.get("/api/comparisons", query))

    def curves(
        self,
        runs: Sequence[str],
        name: str,
        *,
        baseline: str | None = None,
        seeds: bool = True,
        axis: Axis = "step",
        window: tuple[float | None, float | None] = (None, None),
        spread: Spread = "sd",
        max_points: int = 1000,
    ) -> CurveSet:
        """A metric of several runs over all attempts; of several seeds the mean and its spread.

        Args:
            runs: their identifiers.
            name: metric.
            baseline: whose column comes first; None: the first run's.
            seeds: whether runs that differ only in their seeds are one curve.
            axis: `step`, `tokens`, `epoch`, `time` or `wall`.
            window: left and right end on that axis; None: the curves' own.
            spread: of several seeds: `sd`, `range`, or `interval` of the mean.
            max_points: of each curve at most.
        """
        query = {
            "run": runs,
            "name": name,
            "baseline": baseline,
            "seeds": seeds,
            "axis": axis,
            "low": window[0],
            "high": window[1],
            "spread": spread,
            "max_points": max_points,
        }
        return CurveSet.model_validate(self._transport.get("/api/comparisons/curves", query))


class Views:
    """Lists of runs as somebody arranged them on the page, kept under names."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def list(self, *, project_id: str | None = None, most: int | None = None) -> Iterator[ViewOut]:
        """Views of all runs by name, and with a project also its own."""
        return each(self._transport, "/api/views", {"project_id": project_id}, ViewOut, most)

    def get(self, view_id: str) -> ViewOut:
        """One view."""
        return ViewOut.model_validate(self._transport.get(path("views", view_id)))

    def find(self, reference: str, *, project_id: str | None = None) -> ViewOut:
        """A view by its identifier, the beginning of that, or its name.

        Raises:
            NotFoundError: there is none.
            ConflictError: several are meant.
        """
        return find_named(
            lambda: list(self.list(project_id=project_id)), reference, "view", "views"
        )

    def runs(self, view: ViewOut, *, most: int | None = None) -> Iterator[RunRow]:
        """The runs that a view shows, in its order; its groups are not told."""
        query = query_of(view.search)
        return Runs(self._transport).list(project_id=view.project_id, most=most, **query)

    def create(
        self, name: str, search: Mapping[ViewKey, str], *, project_id: str | None = None
    ) -> ViewOut:
        """Keep a view, as the page has it in its address (`q`, `status`, `filter`, `sort`, …)."""
        body = {"name": name, "search": dict(search), "project_id": project_id}
        return ViewOut.model_validate(self._transport.post("/api/views", body))

    def change(
        self, view_id: str, *, name: str | None = None, search: Mapping[ViewKey, str] | None = None
    ) -> ViewOut:
        """Rename a view, or keep another arrangement under its name."""
        body: dict[str, Any] = {"name": name, "search": None if search is None else dict(search)}
        answer = self._transport.send("PATCH", path("views", view_id), body=body, again=True)
        return ViewOut.model_validate(answer)

    def delete(self, view_id: str) -> None:
        """Forget a view; the runs stay."""
        self._transport.delete(path("views", view_id))


def search(transport: Transport, text: str, limit: int) -> Sequence[Hit]:
    """What has the text in its name or identifier; see `Client.search`."""
    return Hits.model_validate(transport.get("/api/search", {"q": text, "limit": limit})).items
