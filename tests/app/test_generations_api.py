"""Comparisons as a client and as a worker see them; the answers themselves are in `tests/e2e`."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select, update

from app.db import Database
from app.generations import progress
from app.models import Generation, GenerationChunk, QueueState, Worker
from app.settings import Settings
from core.errors import Problem
from core.generation_job import GenerationStatus
from tests.app import generated
from tests.app.test_exports_api import trained
from tests.app.workers import register
from tests.reporting import ReportingRun
from worker.reaper import Reaper

__all__ = ["trained"]  # a run that has weights


@pytest.fixture
def worker(database: Database) -> str:
    with database.write() as session:
        return register(session, "idle")


def test_answers_are_kept_streamed_and_asked_for_once(
    client: TestClient, database: Database, settings: Settings, worker: str, trained: str
) -> None:
    body = {"prompt": "Why?", "columns": [{}, {"run_id": trained, "weights": "adapter"}]}
    key = {"Idempotency-Key": "abcdefgh", "UniSD-Actor": "Ada"}
    first, second = (client.post("/api/generations", json=body, headers=key) for _ in range(2))
    assert first.json()["id"] == second.json()["id"]
    assert first.json()["created_by"] == "Ada"
    assert client.get("/api/generations").json()["total"] == 1
    question = {"run_id": f"{trained}:1", "cursor": 1, "index": 0}
    asked = client.post("/api/generations", json={"question": question, "columns": [{}]})
    assert asked.status_code == 404
    won = generated.claim(database, worker)
    generated.begin(database, won)
    card = client.get(f"/api/workers/{worker}").json()
    assert (card["status"], card["run_id"]) == ("busy", None)
    with database.write() as session:  # the answer to the commit was lost
        progress.add_tokens(session, won, [generated.token(0, 0, "twice")], before=1)
    coming = client.get(f"/api/generations/{won.id}").json()
    assert [one["text"] for one in coming["answers"]] == ["so0\ufffd", "so1\ufffd"]
    assert coming["columns"][1]["prompt"] == "‹1›\ufffd"
    assert client.post(f"/api/generations/{won.id}/votes", json={"winner": 0}).status_code == 409
    with database.write() as session:
        progress.add_tokens(session, won, [generated.token(0, 0, "<end>", "end")])
        progress.finish(session, won, GenerationStatus.DONE)
    done = client.get(f"/api/generations/{won.id}").json()
    assert [(one["text"], one["end"]) for one in done["answers"]] == [
        ("so0\ufffd", "end"),
        ("so1\ufffd", None),
    ]
    items = client.get(f"/api/generations/{won.id}/answers/0/0").json()["items"]
    assert [one["piece"] for one in items] == ["so0\ufffd", "<end>"]
    stream = client.get(f"/api/generations/{won.id}/events").text
    assert '[0, 0, "", 1, "end"]' in stream  # the last token, too, is told to who comes late
    assert '"status": "done"' in stream
    assert "event: end" in stream
    with database.write() as session:
        assert progress.followed_to_the_end(session) == []
        session.execute(update(Generation).values(finished_at=datetime(2020, 1, 1, tzinfo=UTC)))
    Reaper(database, settings).round()
    with database.read() as session:
        assert not session.scalars(select(GenerationChunk)).all()
    assert client.get(f"/api/generations/{won.id}").json()["answers"] == done["answers"]
    ahead = client.get(f"/api/generations/{won.id}/events", params={"after": done["cursor"] + 1})
    assert ahead.json()["code"] == "cursor_ahead"
    assert client.post(f"/api/generations/{won.id}/cancel").status_code == 409
    named = client.patch(f"/api/generations/{won.id}", json={"name": " mine "}).json()
    assert named["name"] == "mine"
    found = client.get("/api/generations", params={"saved": True, "run_id": trained}).json()
    assert [one["id"] for one in found["items"]] == [won.id]
    assert client.delete(f"/api/generations/{won.id}").status_code == 204
    assert client.get(f"/api/generations/{won.id}").status_code == 404


def test_a_blind_comparison_tells_nothing_before_the_vote(
    client: TestClient, database: Database, worker: str, trained: str
) -> None:
    columns = [{}, {"run_id": trained, "weights": "adapter"}]
    orders = set()
    for number in range(12):
        generated.ask(client, columns=columns, blind=True)
        name = generated.answer(database, worker)
        hidden = client.get(f"/api/generations/{name}").json()
        assert [one["label"] for one in hidden["columns"]] == ["A", "B"]
        told = [value for one in hidden["columns"] for key, value in one.items() if key != "label"]
        assert set(told) == {None}
        winner = None if number == 0 else 0
        vote = client.post(f"/api/generations/{name}/votes", json={"winner": winner})
        shown = vote.json()
        orders.add(shown["columns"][0]["run_id"])
        assert shown["votes"][0]["blind"]
        assert shown["revealed"]
    assert orders == {None, trained}  # they were shuffled
    # Seen by its name it is voted for again; that is the same person's vote.
    again = client.post(f"/api/generations/{name}/votes", json={"winner": 1}).json()
    assert [(one["winner"], one["blind"]) for one in again["votes"]] == [(1, False)]
    (tally,) = client.get("/api/generations/tallies").json()["items"]
    assert tally["wins"] + tally["losses"] == 11
    assert tally["ties"] == 1
    assert tally["rate"]["n"] == 11
    assert tally["rate"]["low"] < tally["rate"]["estimate"] < tally["rate"]["high"]
    generated.ask(client, columns=columns, blind=True, samples=2)
    name = generated.answer(database, worker)
    hidden = client.post(f"/api/generations/{name}/votes", json={"winner": 0}).json()
    assert not hidden["revealed"]  # nor do the counts tell who won
    blind = client.get("/api/generations/tallies", params={"blind": True}).json()
    assert blind["votes"] == 11


def test_a_comparison_says_what_it_waits_for(
    client: TestClient, database: Database, worker: str
) -> None:
    run = ReportingRun(database, "long")
    run.report(3)
    name = generated.ask(client)["id"]

    def waits() -> str:
        return " ".join(client.get(f"/api/generations/{name}").json()["waiting"])

    with database.write() as session:
        session.execute(update(Worker).where(Worker.id != worker).values(gone=True))
        session.get_one(Worker, worker).run_id = run.id
    assert "All devices are busy. Waits until one is free: idle with “long”" in waits()
    assert "unisd worker --queues interactive" in waits()
    with database.write() as session:
        session.get_one(Worker, worker).run_id = None
    assert waits() == ""
    with database.write() as session:
        session.get_one(Worker, worker).queues = ["gpu"]
    assert "serves the queue" in waits()
    with database.write() as session:
        session.get_one(Worker, worker).gone = True
        session.add(QueueState(name="interactive", paused=True, changed_by="x", changed_at=0.0))
    assert "is paused" in waits()
    assert "until a worker is connected" in waits()
    cancelled = client.post(f"/api/generations/{name}/cancel").json()
    assert (cancelled["status"], cancelled["waiting"]) == ("cancelled", [])


def test_a_lost_worker_adds_nothing_and_another_begins_anew_once(
    client: TestClient, database: Database, settings: Settings, worker: str
) -> None:
    lost = Problem(code="worker_lost", message="Lost.", remedy="Look.")
    name = generated.ask(client)["id"]
    first = generated.claim(database, worker)
    generated.begin(database, first)
    with database.write() as session:
        session.execute(update(Generation).values(lease_expires_at=1.0))
    reaper = Reaper(database, settings)
    reaper.be_patient()
    reaper.round()
    assert client.get(f"/api/generations/{name}").json()["status"] == "generating"
    with database.write() as session:
        progress.give_back(session, first.id, first.token, lost)
    again = client.get(f"/api/generations/{name}").json()
    assert (again["status"], again["answers"]) == ("queued", [])
    second = generated.claim(database, worker)
    with pytest.raises(progress.LostError), database.write() as session:
        progress.add_tokens(session, first, [generated.token(0, 0, "late")])
    with database.write() as session:
        assert not progress.renew(session, second, 60.0)
    generated.begin(database, second)
    client.post(f"/api/generations/{name}/cancel")
    with database.write() as session:
        assert progress.renew(session, second, 60.0)
        session.execute(update(Generation).values(cancelling=False))
        progress.give_back(session, second.id, second.token, lost)
    failed = client.get(f"/api/generations/{name}").json()
    assert (failed["status"], failed["problem"]["code"]) == ("failed", "worker_lost")
    stream = client.get(f"/api/generations/{name}/events", params={"after": again["cursor"]}).text
    assert stream.index('"attempt": 2') < stream.index("event: tokens")  # it clears what was seen
