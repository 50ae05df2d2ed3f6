"""`unisd trajectories` and the client's rollouts with a real server."""

from __future__ import annotations

import json
import os

import pytest

from app.client import Client, NotFoundError
from tests.app.rollouts import make_recorded_run
from tests.cli.test_comparing import done, unisd
from tests.live import serving


@pytest.fixture
def run(settings, database, monkeypatch, tmp_path):
    with serving(settings) as port:
        monkeypatch.setenv("UNISD_API_URL", f"http://127.0.0.1:{port}")
        yield make_recorded_run(database, tmp_path / "runs", 3)


def test_rollouts_are_listed_shown_and_summed_up(run):
    wanted = ("--sort=-disagreement", "--filter", "grade=0", "--filter", "disagreement>=0.5")
    found = json.loads(done("trajectories", "list", "disputed", *wanted, "--json"))
    expected = sorted(
        (row["event"] for row in run.rows if row["event"]["grade"] == 0),
        key=lambda event: -event["disagreement"],
    )
    assert [one["prompt"] for one in found] == [event["prompt"] for event in expected]
    lines = done("trajectories", "list", "disputed", *wanted, "--limit", 3).splitlines()
    assert lines[0].split() == [
        "ID", "STEP", "RECORD", "GRADE", "DISAGREEMENT", "WEIGHT", "DIVERGENCE", "TOKENS",
        "COMPLETION",
    ]  # fmt: skip
    assert [line.split()[:4] for line in lines[1:]] == [
        [str(one["id"]), str(one["step"]), one["record_id"], "wrong"] for one in found[:3]
    ]
    shown = done("trajectories", "show", "disputed", found[0]["id"])
    assert "answer letter" in shown
    assert shown.count("reasoning") == 5
    told = done("trajectories", "agreement", run.id)
    assert "24, 20 graded" in told
    assert "1 of pairs" in told
    assert json.loads(done("trajectories", "agreement", run.id, "--json"))["read"] == 24
    for wrong in (["list", "no"], ["list", run.id, "--filter", "no>1"], ["show", run.id, 999]):
        refused = unisd("trajectories", *wrong)
        assert (refused.exit_code, bool(refused.stderr.strip())) == (2, True)


def test_the_client_goes_through_a_list_and_an_example(run):
    with Client(os.environ["UNISD_API_URL"]) as client:
        rollouts = client.trajectories
        order = [one.id for one in rollouts.list(run.id, sort="-weight", filters=["weight>0"])]
        beside = rollouts.neighbours(run.id, order[4], sort="-weight", filters=["weight>0"])
        assert (beside.previous, beside.position, beside.next) == (order[3], 5, order[5])
        assert [one.step for one in rollouts.follow(run.id, "r0").items] == [1, 2, 3, 4, 6]
        assert rollouts.overview(run.id).total == 24
        assert rollouts.distribution(run.id, "weight").unknown == 6
        assert len(rollouts.get(run.id, order[0]).token_values) == 7
        with pytest.raises(NotFoundError):
            rollouts.get(run.id, 10**6)
