"""Wakes whoever follows a run. Only a hint: listeners also look by themselves."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from functools import lru_cache

import redis
import redis.asyncio
from redis.asyncio.retry import Retry as AsyncRetry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

from app.queue import DEFAULT_REDIS_URL
from app.settings import get_settings

_log = logging.getLogger(__name__)
_FIRST_PAUSE_SECONDS = 0.2
_LONGEST_PAUSE_SECONDS = 5.0
# So long without a message, and Redis is asked whether it is still there.
_SILENCE_SECONDS = 10
_LEFT_ALONE_SECONDS = 3.0
_left_alone = {"until": 0.0}


def _url() -> str:
    return get_settings().redis_url or DEFAULT_REDIS_URL


def _channel(run_id: str) -> str:
    return f"unisd:run:{run_id}"


@lru_cache
def _client() -> redis.Redis:
    return redis.Redis.from_url(
        _url(), socket_connect_timeout=2, socket_timeout=2, retry=Retry(NoBackoff(), 0)
    )


def redis_client() -> redis.Redis:
    """This process's connection to Redis."""
    return _client()


def publish(run_id: str) -> None:
    """Tell listeners that a run has news.

    Who copies events must not wait for a Redis that is silent: after a failure it is left alone
    for a while.

    Raises:
        RedisError: nobody was told; they also look by themselves.
    """
    if time.monotonic() < _left_alone["until"]:
        return
    try:
        _client().publish(_channel(run_id), b"")
    except (RedisError, OSError):
        _left_alone["until"] = time.monotonic() + _LEFT_ALONE_SECONDS
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


async def listen(heard: Callable[[str | None], None]) -> None:
    """Hear the news of all runs, over one connection, until cancelled.

    A Redis server that goes away is awaited with growing pauses, and one that was never there is
    merely looked for again.

    Args:
        heard: Called with a run's identifier when it has news, and with None when news of any run
            may have been missed.
    """
    pause = _FIRST_PAUSE_SECONDS
    while True:
        began = time.monotonic()
        try:
            await _hear(heard)
        except (RedisError, OSError) as error:
            if time.monotonic() - began > _LONGEST_PAUSE_SECONDS:
                pause = _FIRST_PAUSE_SECONDS
            if pause == _FIRST_PAUSE_SECONDS:
                _log.warning("no news from Redis, looking by ourselves: %s", error)
        await asyncio.sleep(pause)
        pause = min(2 * pause, _LONGEST_PAUSE_SECONDS)


async def _hear(heard: Callable[[str | None], None]) -> None:
    client = redis.asyncio.Redis.from_url(
        _url(),
        socket_connect_timeout=2,
        # A connection that broke is told to us, since messages were missed by then.
        retry=AsyncRetry(NoBackoff(), 0),
        health_check_interval=_SILENCE_SECONDS,
    )
    prefix = len(_channel(""))
    async with client, client.pubsub() as pubsub:
        await pubsub.psubscribe(_channel("*"))
        while True:
            message = await pubsub.get_message(timeout=_SILENCE_SECONDS)
            if message is None:
                continue
            if message["type"] == "psubscribe":
                heard(None)
            elif message["type"] == "pmessage":
                heard(message["channel"].decode()[prefix:])
