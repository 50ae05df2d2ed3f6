"""Studies: factors × levels × seeds, and what their runs tell together."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from app.client.finding import find_named, path
from app.client.paging import each, plain
from app.client.transport import Transport
from app.studies.schemas import Fate, PlanCheck, Retry, StudyCreated, StudyDetail, StudySummary
from core.study import StudyPlan


class Studies:
    """What can be done with studies."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def list(
        self, *, project_id: str | None = None, q: str | None = None, most: int | None = None
    ) -> Iterator[StudySummary]:
        """Studies with the states of their runs, newest first; `q` is text in the name."""
        query = {"project_id": project_id, "q": q}
        return each(self._transport, "/api/studies", query, StudySummary, most)

    def get(self, study_id: str) -> StudyDetail:
        """A study: cells with their states, means over seeds, effects, interactions and cost."""
        return StudyDetail.model_validate(self._transport.get(path("studies", study_id)))

    def find(self, reference: str) -> StudySummary:
        """A study by its identifier, the beginning of that, or its name.

        Raises:
            NotFoundError: there is none.
            ConflictError: several are meant.
        """
        return find_named(lambda: list(self.list()), reference, "study", "study")

    def start(self, plan: StudyPlan | Mapping[str, Any]) -> StudyCreated:
        """Queue all runs of a plan, or none. A lost answer never makes a second study."""
        answer = self._transport.post("/api/studies", plain(plan), once=True)
        return StudyCreated.model_validate(answer)

    def check(self, plan: StudyPlan | Mapping[str, Any] | str) -> PlanCheck:
        """What starting it would say, without starting it; of a text, mistakes name their line."""
        text = plan if isinstance(plan, str) else json.dumps(plain(plan))
        answer = self._transport.post("/api/studies/check", {"text": text}, repeatable=True)
        return PlanCheck.model_validate(answer)

    def cancel(self, study_id: str) -> StudyDetail:
        """Stop what is not finished: waiting runs are cancelled, started ones asked to stop."""
        answer = self._transport.post(path("studies", study_id, "cancel"))
        return StudyDetail.model_validate(answer)

    def resume(self, study_id: str, what: Retry = Retry.UNFINISHED) -> StudyDetail:
        """Take up what ended without success; cancelled and deleted runs get new ones."""
        answer = self._transport.post(path("studies", study_id, "resume"), {"what": what.value})
        return StudyDetail.model_validate(answer)

    def delete(self, study_id: str, *, runs: Fate) -> None:
        """Remove a study; its runs stay as runs of their own, or go with all their files."""
        self._transport.delete(path("studies", study_id), {"runs": runs.value})
