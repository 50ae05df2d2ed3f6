"""Wakes whoever follows a run. Only a hint: listeners also look by themselves."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import lru_cache

import redis
import redis.asyncio
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

from app.queue import DEFAULT_REDIS_URL
from app.settings import get_settings

_PAUSE_SECONDS = 3.0
_pause = {"until": 0.0}


def _url() -> str:
    return get_settings().redis_url or DEFAULT_REDIS_URL


def _channel(run_id: str) -> str:
    return f"unisd:run:{run_id}"


@lru_cache
def _client() -> redis.Redis:
    return redis.Redis.from_url(
        _url(), socket_connect_timeout=2, socket_timeout=2, retry=Retry(NoBackoff(), 0)
    )


def publish(run_id: str) -> None:
    """Tell listeners that a run has news.

    Who copies events must not wait for a Redis that is silent: after a failure it is left alone
    for a while.

    Raises:
        RedisError: nobody was told; they also look by themselves.
    """
    if time.monotonic() < _pause["until"]:
        return
    try:
        _client().publish(_channel(run_id), b"")
    except (RedisError, OSError):
        _pause["until"] = time.monotonic() + _PAUSE_SECONDS
        raise


def queue_length(queue: str) -> int:
    """Calls for work that no worker of a queue has heard yet."""
    return int(_client().llen(queue))


def is_reachable() -> str | None:
    """None if Redis answers, else the reason."""
    try:
        _client().ping()
    except (RedisError, OSError) as error:
        return str(error) or type(error).__name__
    return None


class Listener:
    """Waits for news of one run; without Redis it merely waits."""

    def __init__(self, pubsub: redis.asyncio.client.PubSub | None) -> None:
        self._pubsub = pubsub

    async def wait(self, seconds: float) -> None:
        """Return when there may be news, at the latest after `seconds`."""
        if self._pubsub is None:
            await asyncio.sleep(seconds)
            return
        try:
            await self._pubsub.get_message(ignore_subscribe_messages=True, timeout=seconds)
        except (RedisError, OSError):
            self._pubsub = None
            await asyncio.sleep(seconds)


@asynccontextmanager
async def listen(run_id: str) -> AsyncIterator[Listener]:
    """Subscribe to news of a run."""
    client = redis.asyncio.Redis.from_url(_url(), socket_connect_timeout=2)
    pubsub = client.pubsub()
    try:
        try:
            await pubsub.subscribe(_channel(run_id))
            listener = Listener(pubsub)
        except (RedisError, OSError):
            listener = Listener(None)
        yield listener
    finally:
        await pubsub.aclose()  # type: ignore[no-untyped-call]  # the library leaves it untyped
        await client.aclose()
