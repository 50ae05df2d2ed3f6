"""Sends requests, and sends them again where that cannot do anything twice.

Three cases. If a request never left, any may be sent again. If the studio says that it did nothing
(busy database, 429), likewise. If nobody knows whether it was met (the connection broke, a gateway
gave up), it is sent again only where a second time makes no difference: reading, deleting, and what
carries an idempotency key.
"""

from __future__ import annotations

import os
import random
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import IO, Any, Final, NamedTuple
from uuid import uuid4

import httpx2

from app.client.address import actor_name, studio_url
from app.client.errors import ApiError, NotFoundError, error_of, unreachable

ANSWER_SECONDS: Final = 300.0
"""A large study is checked cell by cell before the answer."""
_CONNECT_SECONDS: Final = 10.0
_SAFE: Final = frozenset({"GET", "HEAD", "DELETE"})
_UNDONE: Final = frozenset({HTTPStatus.TOO_MANY_REQUESTS})
_UNSURE: Final = frozenset(
    {HTTPStatus.BAD_GATEWAY, HTTPStatus.SERVICE_UNAVAILABLE, HTTPStatus.GATEWAY_TIMEOUT}
)
_NEVER_LEFT: Final = (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.PoolTimeout)

Params = Mapping[str, Any]


class Patience(NamedTuple):
    """How often and how long a request is tried.

    Attributes:
        retries: repetitions at most.
        first_seconds: mean pause before the first of them; each next one is twice as long.
        longest_seconds: no pause is longer, though the studio may ask for it.
    """

    retries: int = 5
    first_seconds: float = 0.5
    longest_seconds: float = 30.0

    def pause(self, attempt: int, answer: httpx2.Response | None) -> float:
        """Seconds before the next try; at least what the answer asks for."""
        # Spread, lest all who wait for one server come back at the same moment.
        spread = random.uniform(0.5, 1.5)  # noqa: S311 - no secret
        own = self.first_seconds * float(2**attempt) * spread
        return min(max(own, _asked_pause(answer)), self.longest_seconds)


class Transport:
    """One studio, as one person talks to it. May be used by several threads."""

    def __init__(
        self,
        url: str | None = None,
        token: str | None = None,
        actor: str | None = None,
        patience: Patience | None = None,
        timeout: float = ANSWER_SECONDS,
    ) -> None:
        self.url = studio_url(url)
        self.patience = patience or Patience()
        self._sleep: Callable[[float], None] = time.sleep
        token = token or os.environ.get("UNISD_TOKEN", "")
        told = {"UniSD-Actor": actor_name(actor), "Accept": "application/json"}
        if token:
            told["Authorization"] = f"Bearer {token}"
        headers = {name.encode(): text.encode("latin-1", "replace") for name, text in told.items()}
        self._timeout = httpx2.Timeout(timeout, connect=_CONNECT_SECONDS)
        try:
            self._http = httpx2.Client(base_url=self.url, headers=headers, timeout=self._timeout)
        except (httpx2.InvalidURL, ValueError) as error:
            raise unreachable(self.url, str(error)) from error

    def close(self) -> None:
        """Close all connections."""
        self._http.close()

    def get(self, path: str, params: Params | None = None) -> Any:  # noqa: ANN401 - any JSON
        """What is there."""
        return self.send("GET", path, params=params)

    def head(self, path: str, params: Params | None = None) -> httpx2.Headers:
        """What is told of something without sending it."""

        def once() -> httpx2.Response:
            return self._http.head(path, params=_plain(params))

        return self._patiently(once, safe=True, on_try=lambda _: None).headers

    def post(
        self,
        path: str,
        body: object = None,
        *,
        params: Params | None = None,
        repeatable: bool = False,
        once: bool = False,
    ) -> Any:  # noqa: ANN401 - any JSON
        """Have something done.

        Args:
            path: below the studio's address.
            body: sent as JSON.
            params: of the query.
            repeatable: whether doing it twice is as good as once.
            once: send a key by which the studio makes it once, however often it is sent.
        """
        headers = {"Idempotency-Key": uuid4().hex} if once else {}
        again = repeatable or once
        return self.send("POST", path, params=params, body=body, headers=headers, again=again)

    def delete(self, path: str, params: Params | None = None) -> None:
        """Remove something; gone already after a lost answer is as good."""
        tries: list[int] = []
        try:
            self.send("DELETE", path, params=params, on_try=tries.append)
        except NotFoundError:
            if len(tries) < 2:
                raise

    def upload(self, path: str, file: IO[bytes], params: Params) -> Any:  # noqa: ANN401
        """Send a file in pieces; the answer may take its time."""
        start = file.tell()

        def rewind(_: int) -> None:
            file.seek(start)

        return self.send("POST", path, params=params, content=file, on_try=rewind)

    def send(
        self,
        method: str,
        path: str,
        *,
        params: Params | None = None,
        body: object = None,
        content: IO[bytes] | None = None,
        headers: Mapping[str, str] | None = None,
        again: bool | None = None,
        on_try: Callable[[int], None] = lambda _: None,
    ) -> Any:  # noqa: ANN401 - any JSON
        """Send a request, as often as it takes; the answer's JSON, None where it has no body.

        Args:
            method: of HTTP.
            path: below the studio's address.
            params: of the query; those that are None are left out.
            body: sent as JSON.
            content: a file, sent in pieces instead of `body`, without a limit of time.
            headers: more than the usual ones.
            again: whether it may be met twice; absent: as its method says.
            on_try: called before each try, with its number from 0.

        Raises:
            ApiError: what the studio answered, or that it did not.
        """
        timeout = self._timeout
        if content is not None:
            timeout = httpx2.Timeout(None, connect=_CONNECT_SECONDS)

        def once() -> httpx2.Response:
            return self._http.request(
                method,
                path,
                params=_plain(params),
                json=body,
                content=content,
                headers=headers,
                timeout=timeout,
            )

        safe = method in _SAFE if again is None else again
        answer = self._patiently(once, safe=safe, on_try=on_try)
        return answer.json() if answer.content else None

    @contextmanager
    def stream(
        self,
        path: str,
        *,
        params: Params | None = None,
        headers: Mapping[str, str] | None = None,
        silence: float = ANSWER_SECONDS,
    ) -> Iterator[httpx2.Response]:
        """An answer to be read in pieces; tried once.

        Raises:
            ApiError: it was refused, or none came.
        """
        timeout = httpx2.Timeout(silence, connect=_CONNECT_SECONDS)
        try:
            with self._http.stream(
                "GET", path, params=_plain(params), headers=headers, timeout=timeout
            ) as answer:
                if answer.is_error:
                    answer.read()
                    raise self._error(answer)
                yield answer
        except httpx2.HTTPError as error:
            raise unreachable(self.url, _reason(error)) from error

    def pause(self, attempt: int) -> None:
        """Wait before the next try, longer after each."""
        self._sleep(self.patience.pause(attempt, None))

    def _patiently(
        self, once: Callable[[], httpx2.Response], *, safe: bool, on_try: Callable[[int], None]
    ) -> httpx2.Response:
        attempt = 0
        while True:
            on_try(attempt)
            answer: httpx2.Response | None = None
            try:
                answer = once()
                error = self._error(answer) if not _is_ours(answer) else None
                again = error is not None and _again(answer, error, safe=safe)
            except httpx2.HTTPError as fault:
                error = unreachable(self.url, _reason(fault))
                error.__cause__ = fault
                again = safe or isinstance(fault, _NEVER_LEFT)
            if error is None:
                assert answer is not None  # noqa: S101 - for the type checker
                return answer
            if not again or attempt >= self.patience.retries:
                raise error
            self._sleep(self.patience.pause(attempt, answer))
            attempt += 1

    def _error(self, answer: httpx2.Response) -> ApiError:
        try:
            body = answer.json()
        except ValueError:
            body = None
        return error_of(answer.status_code, body, self.url)


def _is_ours(answer: httpx2.Response) -> bool:
    """Whether it is an answer of the studio to what was asked; else a page of something else."""
    is_json = answer.headers.get("content-type", "").startswith("application/json")
    return answer.is_success and (is_json or not answer.content)


def _again(answer: httpx2.Response, error: ApiError, *, safe: bool) -> bool:
    if answer.status_code in _UNDONE or error.code == "database_busy":
        return True
    return safe and answer.status_code in _UNSURE


def _asked_pause(answer: httpx2.Response | None) -> float:
    """Seconds that `Retry-After` asks for: a number, or a date."""
    asked = answer.headers.get("retry-after", "").strip() if answer is not None else ""
    if asked.isdigit():
        return float(asked)
    try:
        until = parsedate_to_datetime(asked)
    except ValueError:
        return 0.0
    return max(0.0, (until - datetime.now(UTC)).total_seconds()) if until.tzinfo else 0.0


def _plain(params: Params | None) -> dict[str, Any] | None:
    """Parameters as the query takes them; those that are None are left out."""
    if params is None:
        return None
    return {
        name: list(value) if isinstance(value, (tuple, set, frozenset)) else value
        for name, value in params.items()
        if value is not None
    }


def _reason(error: httpx2.HTTPError) -> str:
    if isinstance(error, httpx2.ReadTimeout):
        return "it did not answer in time"
    return str(error).rstrip(".") or type(error).__name__
