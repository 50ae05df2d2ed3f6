"""Runs: start them, watch them, end them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal
from urllib.parse import quote

from app.client import cloning, events, finding, history
from app.client.paging import each, plain
from app.client.transport import Transport
from app.preflight.schemas import Preflight
from app.runs.schemas import (
    BulkOutcome,
    BulkOutcomes,
    LogLine,
    LogPage,
    MetricSeries,
    RunCreated,
    RunDetail,
    RunEventOut,
    RunList,
    RunRow,
    RunSummary,
    TransitionList,
    TransitionOut,
    Validation,
)
from core.config import RunConfig
from core.schedule import Schedule
from core.states import TERMINAL, RunKind, RunStatus

Config = RunConfig | Mapping[str, Any]
"""A configuration, or its fields (with `preset` on top of that preset)."""


class Runs:
    """What can be done with runs. Where a run is asked for, its identifier is meant."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def list(  # noqa: PLR0913 - filters are keywords
        self,
        *,
        project_id: str | None = None,
        status: Sequence[RunStatus | str] = (),
        kind: RunKind | str | None = None,
        text: str | None = None,
        filters: Sequence[str] = (),
        sort: str = "-created_at",
        params: Sequence[str] = (),
        metrics: Sequence[str] = (),
        most: int | None = None,
    ) -> Iterator[RunRow]:
        """Runs with their progress, newest first, asked for page by page as they are read.

        Args:
            project_id: only those of this project.
            status: only those in these states.
            kind: only `training` or only `evaluation`.
            text: only those with this in their name.
            filters: `model~qwen`, `seed=42`, `tag=paper`, `metric:train/loss@min<0.5`,
                `param:training.learning_rate>1e-5`, `created_at>=7d`; all must hold.
            sort: field, `metric:PATH` or `param:PATH`; `-` before it sorts downwards.
            params: fields of the configuration to give, as dotted paths.
            metrics: metrics to give with their last, lowest and highest value.
            most: runs at most; None: all.
        """
        query = {
            "project_id": project_id,
            "status": [RunStatus(one).value for one in status],
            "kind": kind,
            "q": text,
            "filter": filters,
            "sort": sort,
            "param": params,
            "metric": metrics,
        }
        return each(self._transport, "/api/runs", query, RunRow, most)

    def count(self, **filters: Any) -> int:  # noqa: ANN401 - as the API's query takes them
        """How many runs there are; filters as the API's query takes them."""
        params = {**filters, "limit": 1}
        return RunList.model_validate(self._transport.get("/api/runs", params)).total

    def get(self, run: str) -> RunDetail:
        """Everything about a run but its series."""
        return RunDetail.model_validate(self._transport.get(_path(run)))

    def find(self, reference: str) -> RunSummary:
        """A run by its identifier, the beginning of that, or its name, where only one is meant.

        Raises:
            NotFoundError: there is none.
            ConflictError: several are meant; the newest are named.
        """
        return finding.find_run(self._transport, reference)

    def start(
        self,
        config: Config,
        *,
        name: str | None = None,
        project_id: str | None = None,
        schedule: Schedule | Mapping[str, Any] | None = None,
    ) -> RunCreated:
        """Check a configuration and queue a run of it. A lost answer never makes a second run.

        Raises:
            InvalidError: every mistake, with its field; nothing was stored.
        """
        body = _create(config, name, project_id, schedule)
        return RunCreated.model_validate(self._transport.post("/api/runs", body, once=True))

    def check(self, config: Config, *, project_id: str | None = None) -> Validation:
        """What starting it would say, without starting it."""
        body = _create(config, None, project_id, None)
        answer = self._transport.post("/api/runs/validate", body, repeatable=True)
        return Validation.model_validate(answer)

    def preflight(
        self, config: Config, *, project_id: str | None = None, record: int = 0
    ) -> Preflight:
        """Everything that it would meet: data, prompts, teacher views, memory, disk, time.

        Args:
            config: a configuration.
            project_id: where its data set is; None: the default one.
            record: training record that is rendered behind every view, from 0.
        """
        body = _create(config, None, project_id, None)
        query = {"record": record}
        answer = self._transport.post("/api/runs/preflight", body, params=query, repeatable=True)
        return Preflight.model_validate(answer)

    def clone(
        self,
        run: str,
        changes: Mapping[str, Any] | None = None,
        *,
        name: str | None = None,
        schedule: Schedule | Mapping[str, Any] | None = None,
    ) -> RunCreated:
        """Start a run of another's configuration and schedule, with changes to its fields.

        Args:
            run: the one whose configuration is taken.
            changes: nested fields that win over it, such as `{"training": {"seed": 1}}`.
            name: absent: one is made.
            schedule: absent: as the other's.
        """
        source = self.get(run)
        return self.start(
            cloning.changed_config(source, changes or {}),
            name=name,
            project_id=source.project_id,
            schedule=schedule or cloning.schedule_of(source),
        )

    def stop(
        self,
        run: str,
        mode: Literal["save", "discard", "force"] = "save",
        *,
        version: int | None = None,
    ) -> RunDetail:
        """Ask a started run to end; without a mode it finishes its step and saves."""
        body = {"mode": mode, "version": version}
        # Asking again changes nothing, unless the run must not have changed.
        answer = self._transport.post(f"{_path(run)}/stop", body, repeatable=version is None)
        return RunDetail.model_validate(answer)

    def resume(self, run: str, *, version: int | None = None) -> RunDetail:
        """Take up a run that was stopped, failed or crashed, from its newest checkpoint."""
        answer = self._transport.post(f"{_path(run)}/resume", {"version": version})
        return RunDetail.model_validate(answer)

    def cancel(self, run: str, *, version: int | None = None) -> RunDetail:
        """Take a run that has not started out of the queue."""
        answer = self._transport.post(f"{_path(run)}/cancel", {"version": version})
        return RunDetail.model_validate(answer)

    def change(self, run: str, **fields: Any) -> RunDetail:  # noqa: ANN401 - of `RunChange`
        """Change a run's `name`, or while it is not over, `priority`, `labels` or limits."""
        safe = fields.get("version") is None
        answer = self._transport.send("PATCH", _path(run), body=fields, again=safe)
        return RunDetail.model_validate(answer)

    def tag(
        self, runs: Sequence[str], *, add: Sequence[str] = (), remove: Sequence[str] = ()
    ) -> Sequence[BulkOutcome]:
        """Put tags on up to 500 runs and take others off; says of each what became of it."""
        return self._each({"action": "tag", "add": [*add], "remove": [*remove]}, runs)

    def end(
        self, runs: Sequence[str], mode: Literal["save", "discard", "force"] = "save"
    ) -> Sequence[BulkOutcome]:
        """Stop up to 500 runs, and take those that have not started out of the queue."""
        return self._each({"action": "stop", "mode": mode}, runs)

    def _each(self, wish: Mapping[str, Any], runs: Sequence[str]) -> Sequence[BulkOutcome]:
        body = {**wish, "runs": [{"id": run} for run in runs]}
        answer = self._transport.post("/api/runs/bulk", body, repeatable=True)
        return BulkOutcomes.model_validate(answer).items

    def move(self, run: str, before: str | None = None) -> RunDetail:
        """Put a waiting run before another one, or behind all of its queue."""
        answer = self._transport.post(f"{_path(run)}/move", {"before": before}, repeatable=True)
        return RunDetail.model_validate(answer)

    def delete(self, run: str, *, version: int | None = None) -> None:
        """Remove a run that is over or waits, with its files."""
        self._transport.delete(_path(run), {"version": version})

    def transitions(self, run: str) -> Sequence[TransitionOut]:
        """Every change of a run's state and everything that people changed, oldest first."""
        return TransitionList.model_validate(self._transport.get(f"{_path(run)}/transitions")).items

    def metrics(
        self,
        run: str,
        names: str | Sequence[str] = (),
        *,
        attempt: int | None = None,
        max_points: int = 2000,
        steps: tuple[int | None, int | None] = (None, None),
    ) -> MetricSeries:
        """Series of an attempt's metrics, thinned out so that no spike is lost.

        Args:
            run: the run.
            names: metrics; empty: all.
            attempt: its number; None: the latest.
            max_points: of each metric at most, up to 10,000.
            steps: first and last step; None: from the start, to the end.
        """
        params = {
            "name": [names] if isinstance(names, str) else names,
            "attempt": attempt,
            "max_points": max_points,
            "from_step": steps[0],
            "to_step": steps[1],
        }
        return MetricSeries.model_validate(self._transport.get(f"{_path(run)}/metrics", params))

    def history(
        self, run: str, names: str | Sequence[str] = (), *, attempt: int | None = None
    ) -> MetricSeries:
        """Every single point of an attempt's metrics."""
        return history.every_point(self.metrics, run, names, attempt)

    def logs(
        self, run: str, *, text: str | None = None, before: int | None = None, limit: int = 500
    ) -> LogPage:
        """The last log lines, in order; `before` a cursor leads further back."""
        params = {"q": text, "before": before, "limit": limit}
        return LogPage.model_validate(self._transport.get(f"{_path(run)}/logs", params))

    def events(self, run: str, after: int = 0, *, patience: float = 600.0) -> Iterator[RunEventOut]:
        """Events as they happen, replayed after a cursor, until the run is over.

        A lost connection is taken up again where it broke: each event comes once and in order.

        Args:
            run: the run.
            after: cursor of the last event that is known; 0: from the start.
            patience: seconds without any contact after which it is given up.
        """
        return events.follow(self._transport, run, after, patience)

    def follow_logs(self, run: str, after: int = 0) -> Iterator[LogLine]:
        """Log lines after a cursor as they come, until the run is over."""
        for event in self.events(run, after):
            if event.kind in {"log", "output"}:
                yield events.log_line(event)

    def wait(self, run: str) -> RunDetail:
        """Wait until a run is over; returns what became of it."""
        found = self.get(run)
        while found.status not in TERMINAL:
            for _ in self.events(run, found.cursor):
                pass
            found = self.get(run)
        return found


def _path(run: str) -> str:
    return f"/api/runs/{quote(run, safe='')}"


def _create(
    config: Config,
    name: str | None,
    project_id: str | None,
    schedule: Schedule | Mapping[str, Any] | None,
) -> dict[str, Any]:
    body: dict[str, Any] = {"config": plain(config), "name": name, "project_id": project_id}
    if schedule is not None:
        body["schedule"] = plain(schedule)
    return body
