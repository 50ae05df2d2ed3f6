"""Answers side by side: the same prompt through several models or views."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple

import httpx2

from app.client.errors import ApiError, UnavailableError, UnreachableError
from app.client.finding import path
from app.client.paging import each, plain
from app.client.transport import Transport
from app.generations.schemas import (
    AnswerTokens,
    GenerationCreate,
    GenerationLine,
    GenerationOut,
    TallyList,
)
from core.generation_job import OPEN

_SILENCE_SECONDS: Final = 45.0
_PATIENCE_SECONDS: Final = 600.0


class Piece(NamedTuple):
    """What came of one answer."""

    column: int
    sample: int
    text: str
    end: str | None
    """Why it ended; None: it goes on."""


class Generations:
    """What can be done with comparisons."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def start(self, wanted: GenerationCreate | Mapping[str, Any]) -> GenerationOut:
        """Ask; returns at once. A lost answer never makes a second comparison.

        Args:
            wanted: `prompt`, and `columns`: each `{}` for the base model, or `run_id` and `weights`
                (`adapter`, `ema_adapter`, `base`), `checkpoint`, `view`; `seed`, `temperature`, …
        """
        answer = self._transport.post("/api/generations", plain(wanted), once=True)
        return GenerationOut.model_validate(answer)

    def list(
        self,
        *,
        saved: bool | None = None,
        run: str | None = None,
        text: str | None = None,
        most: int | None = None,
    ) -> Iterator[GenerationLine]:
        """Comparisons, newest first."""
        query = {"saved": saved, "run_id": run, "q": text}
        return each(self._transport, "/api/generations", query, GenerationLine, most)

    def get(self, generation_id: str) -> GenerationOut:
        """A comparison with the answers that have come so far."""
        return GenerationOut.model_validate(self._transport.get(path("generations", generation_id)))

    def pieces(self, generation_id: str) -> Iterator[Piece | str]:
        """The answers as they come, each piece once; between them, as texts, how it stands.

        Ends when the comparison is over. Where another worker had to begin anew, `"again"` comes:
        what came before counts no more.

        Raises:
            ApiError: it is not there, or the studio could not be reached for a while.
        """
        cursor, attempt, tries, heard = 0, 1, 0, time.monotonic()
        while True:
            try:
                for event in self._events(generation_id, cursor):
                    heard, tries = time.monotonic(), 0
                    if event.event == "end":
                        return
                    told = json.loads(event.data)
                    if event.event == "tokens":
                        yield from (Piece(one[0], one[1], one[2], one[4]) for one in told)
                    else:
                        if told["attempt"] > attempt:
                            yield "again"
                        attempt = max(attempt, told["attempt"])
                        yield str(told["status"])
                    cursor = int(event.id)
            except ApiError as error:
                passing = isinstance(error, UnavailableError | UnreachableError)
                if not passing or time.monotonic() - heard > _PATIENCE_SECONDS:
                    raise
            self._transport.pause(tries)
            tries += 1

    def _events(self, generation_id: str, after: int) -> Iterator[Any]:
        with self._transport.stream(
            f"{path('generations', generation_id)}/events",
            headers={"Last-Event-ID": str(after), "Accept": "text/event-stream"},
            silence=_SILENCE_SECONDS,
        ) as answer:
            yield from httpx2.EventSource(answer, max_event_size=None)

    def wait(self, generation_id: str) -> GenerationOut:
        """Wait until a comparison is over."""
        found = self.get(generation_id)
        while found.status in OPEN:
            for _ in self.pieces(generation_id):
                pass
            found = self.get(generation_id)
        return found

    def tokens(self, generation_id: str, column: int = 0, sample: int = 0) -> AnswerTokens:
        """An answer token by token, with log-probabilities and alternatives."""
        answer = self._transport.get(path("generations", generation_id, "answers", column, sample))
        return AnswerTokens.model_validate(answer)

    def save(self, generation_id: str, name: str | None) -> GenerationOut:
        """Save a comparison under a name; None: it is not saved any more."""
        answer = self._transport.send(
            "PATCH", path("generations", generation_id), body={"name": name}, again=True
        )
        return GenerationOut.model_validate(answer)

    def vote(self, generation_id: str, winner: int | None, *, sample: int = 0) -> GenerationOut:
        """Pick the best answer by its column, from 0; None is a tie."""
        body = {"sample": sample, "winner": winner}
        return self._change(generation_id, "votes", body)

    def reveal(self, generation_id: str) -> GenerationOut:
        """Name the columns of a blind comparison without a vote."""
        return self._change(generation_id, "reveal")

    def cancel(self, generation_id: str) -> GenerationOut:
        """End a comparison; what has come of its answers stays."""
        return self._change(generation_id, "cancel")

    def delete(self, generation_id: str) -> None:
        """Remove a comparison with its answers and votes."""
        self._transport.delete(path("generations", generation_id))

    def tallies(self, *, blind: bool = False) -> TallyList:
        """Which column wins against which, over all votes, or only blind ones."""
        answer = self._transport.get("/api/generations/tallies", {"blind": blind})
        return TallyList.model_validate(answer)

    def _change(self, generation_id: str, what: str, body: object = None) -> GenerationOut:
        answer = self._transport.post(
            path("generations", generation_id, what), body, repeatable=what != "cancel"
        )
        return GenerationOut.model_validate(answer)
