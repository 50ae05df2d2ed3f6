"""A worker on another host whose link to the database and to Redis is cut while it trains.

Its clock is two hours late besides.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import make_url, select

from app.models import Attempt
from tests.e2e.installation import Installation
from tests.link import Link
from tests.servers import make_database

ENDLESS = {"max_steps": 100_000, "checkpoint_every_steps": 5, "keep_checkpoints": 2}


@dataclass
class Hosts:
    """An installation whose worker `far` is on another host."""

    studio: Installation
    links: list[Link]

    def cut(self) -> None:
        """Cut the far host off."""
        for link in self.links:
            link.cut()

    def restore(self, *, forget: bool = False) -> None:
        """Connect it again."""
        for link in self.links:
            link.restore(forget=forget)

    def last_step(self, run_id: str, attempt: int) -> int:
        """The last step of an attempt that is known."""
        return max(self.studio.losses(run_id).get(attempt) or [0])


@contextmanager
def _two_hosts(home: Path, server: str, lease: float, *more_workers: str) -> Iterator[Hosts]:
    url = make_url(make_database(server))
    to_database, to_redis = Link(), Link()
    to_database.aim(Path(str(url.query["host"])) / ".s.PGSQL.5432")
    through = f"postgresql+psycopg://postgres@127.0.0.1:{to_database.port}/{url.database}"
    far = {
        "HOST": "far",
        "CLOCK": "-7200",
        "UNISD_DATABASE_URL": through,
        "UNISD_REDIS_URL": f"redis://:{{password}}@127.0.0.1:{to_redis.port}/0",
    }
    settings = {"UNISD_LEASE_SECONDS": str(lease), "UNISD_DATABASE_SECONDS": "2"}
    workers: dict[str, dict[str, str]] = {"far": far, **{name: {} for name in more_workers}}
    studio = Installation(home, url.render_as_string(), settings, workers)
    redis_port = make_url(studio.redis_url).port
    assert redis_port is not None
    to_redis.aim(redis_port)
    hosts = Hosts(studio, [to_database, to_redis])
    try:
        studio.start()
        yield hosts
    finally:
        hosts.restore()
        studio.stop()
        to_database.close()
        to_redis.close()


@pytest.mark.full  # the ordinary suite's longer cut is the harder one
@pytest.mark.parametrize(("cut", "lease"), [(4.0, 12.0), (60.0, 90.0)], ids=["seconds", "minute"])
@pytest.mark.parametrize("forget", [False, True], ids=["resumed", "reset"])
def test_a_cut_shorter_than_the_lease_is_not_even_noticed_by_the_run(
    tmp_path: Path,
    postgresql: str,
    config: dict[str, Any],
    cut: float,
    lease: float,
    forget: bool,
) -> None:
    with _two_hosts(tmp_path / "home", postgresql, lease) as hosts:
        studio = hosts.studio
        run_id = studio.create(config | {"training": config["training"] | ENDLESS})
        studio.wait_for_step(run_id, 5)
        (trainer,) = studio.trainers()
        hosts.cut()
        time.sleep(cut / 2)
        before = hosts.last_step(run_id, 1)
        time.sleep(cut / 2)
        hosts.restore(forget=forget)
        studio.wait_for_step(run_id, before + 20)
        assert studio.trainers() == [trainer]

        # What people wish while it is cut off waits for it.
        hosts.cut()
        time.sleep(0.5)
        answer = studio.http.post(f"/api/runs/{run_id}/stop").raise_for_status().json()
        assert answer["status"] == "stopping"
        assert answer["contact"]["wish_pending"]
        time.sleep(1.0)
        assert studio.contact(run_id)["wish_pending"]
        hosts.restore(forget=forget)
        run = studio.wait_for_end(run_id)
        assert (run["status"], run["attempt"], run["problem"]) == ("stopped", 1, None)
        assert [artifact["kind"] for artifact in run["artifacts"]] == ["adapter"]
        studio.assert_nothing_lost_or_doubled(run_id)


@pytest.mark.parametrize(
    "forget",
    [pytest.param(False, id="resumed", marks=pytest.mark.full), pytest.param(True, id="reset")],
)
def test_after_a_longer_cut_another_worker_goes_on_and_the_first_gives_way(
    tmp_path: Path, postgresql: str, config: dict[str, Any], forget: bool
) -> None:
    with _two_hosts(tmp_path / "home", postgresql, 4.0, "near") as hosts:
        studio = hosts.studio
        near = _worker(studio, "near")
        studio.http.post(f"/api/workers/{near}/drain").raise_for_status()
        run_id = studio.create(config | {"training": config["training"] | ENDLESS})
        studio.wait_for_step(run_id, 12)
        studio.http.post(f"/api/workers/{near}/resume").raise_for_status()
        (first,) = studio.trainers("far")
        hosts.cut()
        time.sleep(0.5)
        known = hosts.last_step(run_id, 1)
        studio.wait_until(
            lambda: hosts.last_step(run_id, 2) > 0, "the second worker to go on from a checkpoint"
        )
        assert first.is_running()  # it trains on, as it cannot know
        hosts.restore(forget=forget)
        studio.wait_until(lambda: not studio.trainers("far"), "the first worker to give way")
        (second,) = studio.trainers("near")
        studio.wait_until(lambda: _is_copied(studio, run_id), "the rest of the first attempt")
        assert hosts.last_step(run_id, 1) > known
        assert studio.trainers("near") == [second]
        studio.http.post(f"/api/runs/{run_id}/stop").raise_for_status()
        run = studio.wait_for_end(run_id)
        assert (run["status"], run["attempt"]) == ("stopped", 2)
        assert [attempt["outcome"] for attempt in run["attempts"]] == ["crashed", "stopped"]
        _assert_steps_in_order(studio, run_id)
        studio.assert_nothing_lost_or_doubled(run_id)


def _worker(studio: Installation, name: str) -> str:
    def find() -> list[str]:
        items = studio.http.get("/api/workers").raise_for_status().json()["items"]
        return [str(item["id"]) for item in items if item["name"] == name]

    studio.wait_until(lambda: bool(find()), f"the worker {name}")
    return find()[0]


def _is_copied(studio: Installation, run_id: str) -> bool:
    with studio.database.read() as session:
        first = session.scalars(
            select(Attempt).where(Attempt.run_id == run_id, Attempt.number == 1)
        ).one()
        return first.drained


def _assert_steps_in_order(studio: Installation, run_id: str) -> None:
    """Each attempt did its steps one after another; the second went on where the first saved."""
    for number, losses in studio.losses(run_id).items():
        steps = list(losses)
        assert steps == list(range(steps[0], steps[-1] + 1))
        assert (steps[0] == 1) == (number == 1)
