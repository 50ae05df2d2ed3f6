"""Data sets as a client sees them."""

from __future__ import annotations

import errno
import json
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx2
import pytest
from fastapi.testclient import TestClient
from huggingface_hub.errors import (
    RemoteEntryNotFoundError,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)

from app.datasets import hub
from app.datasets.files import Incoming
from app.datasets.references import resolve_run
from app.db import Database
from app.main import create_app
from app.models import Run
from app.runs import lifecycle
from app.settings import Settings, get_settings
from core.config import RunConfig
from core.prompts import student_messages, teacher_messages
from core.records import read_records
from core.states import Cause, RunStatus

GOOD = [{"question": f"What is {n} + 1?", "answer": str(n + 1)} for n in range(40)]


def _lines(rows: list[Any]) -> bytes:
    return "".join(json.dumps(row) + "\n" for row in rows).encode()


def _upload(
    client: TestClient, content: bytes, name: str = "sums", file_name: str = "sums.jsonl"
) -> dict[str, Any]:
    asked = {"name": name, "file_name": file_name}
    answer = client.post("/api/datasets/upload", params=asked, content=content)
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json()
    return found


def _stored(settings: Settings) -> list[Path]:
    return [path for path in settings.datasets_directory.rglob("*") if path.is_file()]


def test_an_uploaded_file_is_reported_on_and_listed(client: TestClient, settings: Settings) -> None:
    rows = [*GOOD, {"question": "WHAT is  0 + 1?", "answer": "1"}, {"question": "?"}]
    made = _upload(client, _lines(rows))
    assert (made["reference"], made["format"], made["rows"]) == ("sums@1", "jsonl", 42)
    report = made["report"]
    assert (report["good"], report["broken"], report["duplicates"]) == (41, 1, 1)
    assert report["duplicate_lines"] == [{"line": 41, "first": 1}]
    (problem,) = report["problems"]
    assert (problem["line"], problem["field"]) == (42, "mapping.answer")
    assert "“answer”" in problem["message"]
    assert report["columns"][0] == {"name": "question", "types": ["str"]}
    (listed,) = client.get("/api/datasets").json()["items"]
    assert (listed["versions"], listed["latest"], listed["broken"]) == (1, 1, 1)
    shown = client.get(f"/api/datasets/{made['dataset_id']}").json()
    assert shown["items"] == [made]
    assert [path.name for path in _stored(settings)] == [f"{made['sha256']}.jsonl"]


def test_versions_share_a_file_and_the_same_again_is_the_same(
    client: TestClient, settings: Settings
) -> None:
    first = _upload(client, _lines(GOOD))
    assert _upload(client, _lines(GOOD))["id"] == first["id"]
    address = f"/api/datasets/{first['dataset_id']}/versions/1"
    mapping = {"mapping": {"prompt": "answer", "answer": "question"}}
    second = client.post(f"{address}/mapping", json=mapping)
    assert second.status_code == 201, second.text
    assert second.json()["number"] == 2
    assert second.json()["sha256"] == first["sha256"]
    assert len(_stored(settings)) == 1
    # A new file keeps the mapping that people chose last.
    third = _upload(client, _lines(GOOD[:20]))
    assert (third["number"], third["mapping"]["prompt"]) == (3, "answer")
    assert client.get(address.replace("/1", "/9") + "/preview").status_code == 404
    # The file goes with the last version that needs it, and a number never comes back.
    assert client.delete(address).status_code == 204
    assert len(_stored(settings)) == 2
    assert client.delete(address.replace("/1", "/3")).status_code == 204
    assert len(_stored(settings)) == 1
    assert _upload(client, _lines(GOOD[:20]))["number"] == 4
    assert client.delete(f"/api/datasets/{first['dataset_id']}").status_code == 204
    assert _stored(settings) == []
    assert client.get("/api/datasets").json()["total"] == 0


REFUSED: dict[str, tuple[dict[str, str], bytes, str]] = {
    "empty": ({"name": "a", "file_name": "a.jsonl"}, b"\n", "data_empty"),
    "unknown format": ({"name": "a", "file_name": "a.docx"}, b"x", "data_format_unknown"),
    "a path": ({"name": "a", "file_name": "../a.jsonl"}, b"x", "config_invalid"),
    "a name with @": ({"name": "a@1", "file_name": "a.jsonl"}, b"x", "config_invalid"),
}


@pytest.mark.parametrize(("asked", "content", "code"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_stored_is_refused_and_leaves_nothing(
    client: TestClient, settings: Settings, asked: dict[str, str], content: bytes, code: str
) -> None:
    answer = client.post("/api/datasets/upload", params=asked, content=content)
    assert answer.status_code == 422, answer.text
    assert answer.json()["errors"][0]["field"]
    if code != "config_invalid":
        assert answer.json()["code"] == code
    assert _stored(settings) == []
    assert client.get("/api/datasets").json()["total"] == 0


def test_a_file_beyond_the_limit_is_refused_declared_or_not(
    client: TestClient, settings: Settings
) -> None:
    small = settings.model_copy(update={"max_upload_bytes": 1000})
    app = client.app
    app.dependency_overrides[get_settings] = lambda: small  # type: ignore[attr-defined]
    asked = {"name": "a", "file_name": "a.jsonl"}

    def undeclared() -> Iterator[bytes]:
        for _ in range(20):
            yield b"x" * 100

    for content in (b"x" * 2000, undeclared()):
        answer = client.post("/api/datasets/upload", params=asked, content=content)
        assert answer.status_code == 413, answer.text
        assert "UNISD_MAX_UPLOAD_BYTES" in answer.json()["remedy"]
    assert _stored(settings) == []


def test_a_file_with_broken_lines_can_be_mended_by_its_mapping(
    client: TestClient, config: dict[str, Any]
) -> None:
    rows = [{"was": f"q{n}", "ist": "a"} for n in range(40)]
    made = _upload(client, _lines(rows))
    assert made["report"]["good"] == 0
    assert len(made["report"]["problems"]) == 40
    wanted = {**config, "data": {"dataset": "sums@1"}}
    refused = client.post("/api/runs", json={"config": wanted})
    assert refused.status_code == 422
    (error,) = refused.json()["errors"]
    assert (error["code"], error["field"]) == ("dataset_unusable", "data.dataset")
    address = f"/api/datasets/{made['dataset_id']}/versions/1/mapping"
    mended = client.post(address, json={"mapping": {"prompt": "was", "answer": "ist"}}).json()
    assert mended["report"]["good"] == 40
    wanted["data"]["dataset"] = "sums@2"
    assert client.post("/api/runs", json={"config": wanted}).status_code == 201


def test_the_preview_shows_rows_and_what_the_mapping_makes_of_them(client: TestClient) -> None:
    content = b'{"question": "q", "answer": "a", "n": 1e400, "s": "\\ud800"}\n\n{"a\n[1]\n'
    made = _upload(client, content + _lines([{"question": "x" * 5000, "answer": "b"}]))
    address = f"/api/datasets/{made['dataset_id']}/versions/1/preview"
    page = client.get(address).json()
    assert page["total"] == 4
    first, broken, listed, long = page["items"]
    assert first["raw"] == {"question": "q", "answer": "a", "n": "inf", "s": "?"}
    assert (first["record"]["prompt"], first["problem"]) == ("q", None)
    assert (broken["line"], broken["record"], broken["problem"]["line"]) == (3, None, 3)
    assert "not an object" in listed["problem"]["message"]
    assert len(long["raw"]["question"]) < 2_100
    assert len(long["record"]["prompt"]) == 5000
    second = client.get(address, params={"limit": 1, "offset": 1}).json()["items"]
    assert [item["line"] for item in second] == [3]


def test_leaks_and_lengths(client: TestClient, model: Path) -> None:
    train = _upload(client, _lines(GOOD))
    asked = [{"question": " what is 3 + 1? ", "answer": "4"}, {"question": "new", "answer": "x"}]
    test = _upload(client, json.dumps(asked).encode(), name="test", file_name="test.json")
    both = {"train": train["id"], "evaluation": test["id"]}
    assert client.get("/api/datasets/leaks", params=both).json() == {
        "train": 40,
        "evaluation": 2,
        "leaked": 1,
        "lines": [{"line": 1, "first": 4}],
    }
    unknown = client.get("/api/datasets/leaks", params={**both, "train": "none"})
    assert unknown.status_code == 404
    address = f"/api/datasets/{test['dataset_id']}/versions/1/lengths"
    found = client.get(address, params={"model": str(model)}).json()
    # One token a byte; the template adds the same to each prompt.
    assert found["prompt"]["maximum"] - found["prompt"]["minimum"] == len(" what is 3 + 1? ") - 3
    assert sum(found["prompt"]["counts"]) == found["examples"] == 2
    assert found["answer"]["minimum"] == len("Answer: x")
    missing = client.get(address, params={"model": "/nowhere"})
    assert missing.json()["errors"][0]["field"] == "model"


def test_the_hub_is_told_to_be_out_of_reach(client: TestClient, settings: Settings) -> None:
    wanted = {"name": "a", "repo_id": "owner/name", "file": "data/train.jsonl"}
    answer = client.post("/api/datasets/hub", json=wanted)
    assert answer.status_code == 422
    assert answer.json()["code"] == "hub_unreachable"
    assert "HF_HUB_OFFLINE" in answer.json()["detail"]
    assert _stored(settings) == []


def test_a_file_of_the_hub_is_kept_with_its_commit(
    client: TestClient, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    cached = tmp_path / "train.jsonl"
    cached.write_bytes(_lines(GOOD))
    about = SimpleNamespace(size=cached.stat().st_size, commit_hash="c0ffee")
    monkeypatch.setattr(hub.constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setattr(hub, "get_hf_file_metadata", lambda _: about)
    monkeypatch.setattr(hub, "hf_hub_download", lambda *_, **__: str(cached))
    wanted = {"name": "a", "repo_id": "owner/name", "file": "data/train.jsonl"}
    answer = client.post("/api/datasets/hub", json=wanted)
    assert answer.status_code == 201, answer.text
    origin = {"repo_id": "owner/name", "revision": "c0ffee", "file": "data/train.jsonl"}
    assert (answer.json()["origin"], answer.json()["rows"]) == (origin, 40)
    assert cached.is_file()
    about.size = 2**60
    assert client.post("/api/datasets/hub", json=wanted).status_code == 413


HUB_ERRORS = {
    "repo_id": RepositoryNotFoundError,
    "revision": RevisionNotFoundError,
    "file": RemoteEntryNotFoundError,
}


@pytest.mark.parametrize("field", HUB_ERRORS)
def test_what_the_hub_does_not_have_is_told_at_its_field(
    client: TestClient, monkeypatch: pytest.MonkeyPatch, field: str
) -> None:
    def ask(_: str) -> None:
        request = httpx2.Request("HEAD", "https://hub")
        raise HUB_ERRORS[field]("no", response=httpx2.Response(404, request=request))

    monkeypatch.setattr(hub.constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setattr(hub, "get_hf_file_metadata", ask)
    wanted = {"name": "a", "repo_id": "owner/name", "file": "data/train.jsonl"}
    (error,) = client.post("/api/datasets/hub", json=wanted).json()["errors"]
    assert (error["code"], error["field"]) == ("hub_not_found", field)


def test_a_full_disk_is_told(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Incoming, "take", full)
    asked = {"name": "a", "file_name": "a.jsonl"}
    answer = client.post("/api/datasets/upload", params=asked, content=b"x")
    assert answer.status_code == 503
    assert "No space left" in answer.json()["detail"]


def test_a_run_needs_its_version_until_it_is_over(
    client: TestClient, config: dict[str, Any], database: Database
) -> None:
    made = _upload(client, _lines([*GOOD, {"broken": 1}]))
    wanted = {**config, "data": {"dataset": "sums@1"}}
    checked = client.post("/api/runs/validate", json={"config": wanted}).json()
    assert checked["valid"], checked
    run = client.post("/api/runs", json={"config": wanted}).json()
    assert run["config"]["data"]["dataset"] == "sums@1"
    assert run["config"]["data"]["path"] is None
    assert run["data"] == "sums@1"
    assert [(one["code"], one["field"]) for one in run["warnings"]] == [
        ("broken_rows", "data.dataset")
    ]
    for address in ("", "/versions/1"):
        refused = client.delete(f"/api/datasets/{made['dataset_id']}{address}")
        assert refused.status_code == 409
        assert run["id"] in refused.json()["detail"]
    with database.write() as session:
        lifecycle.change_status(
            session, session.get_one(Run, run["id"]), RunStatus.CANCELLED, Cause.CANCELLED
        )
    assert client.delete(f"/api/datasets/{made['dataset_id']}/versions/1").status_code == 204
    assert client.get(f"/api/runs/{run['id']}").json()["config"] == run["config"]


def test_the_trainer_is_given_the_file_and_the_mapping(
    client: TestClient, config: dict[str, Any], database: Database, settings: Settings
) -> None:
    rows = [{"q": row["question"], "a": row["answer"]} for row in GOOD]
    made = _upload(client, _lines([*rows, {"q": 1}]), file_name="sums.jsonl")
    address = f"/api/datasets/{made['dataset_id']}/versions/1/mapping"
    second = client.post(address, json={"mapping": {"prompt": "q", "answer": "a"}}).json()
    wanted = {**config, "data": {"dataset": second["id"], "limit": 30}}
    run = client.post("/api/runs", json={"config": wanted}).json()
    sets = [{"name": "own", "dataset": "sums@2", "few_shot": 0}]
    job = {"model": config["model"], "sets": sets}
    evaluation = client.post("/api/evaluations", json=job)
    assert evaluation.status_code == 201, evaluation.text
    assert evaluation.json()["config"]["sets"][0]["dataset"] == "sums@2"
    with database.read() as session:
        given = RunConfig.model_validate(resolve_run(session, settings, run["id"]))
        (asked,) = resolve_run(session, settings, evaluation.json()["id"])["sets"]
    assert given.data.dataset is None
    assert given.data.path == asked["path"]
    assert Path(asked["path"]).stem == made["sha256"]
    assert len(list(read_records(given.data))) == 30
    whole = given.data.model_copy(update={"limit": None})
    assert len(list(read_records(whole))) == 40
    assert client.delete(f"/api/datasets/{made['dataset_id']}/versions/2").status_code == 409
    # The version of the same file that no run reads may go; the file stays.
    assert client.delete(f"/api/datasets/{made['dataset_id']}/versions/1").status_code == 204
    assert Path(asked["path"]).is_file()


@pytest.mark.parametrize("reference", ["sums@2", "other@1", "sums@x", "sums@²", "sums", "@", "@1"])
def test_an_unknown_reference_is_told_at_its_field(
    client: TestClient, config: dict[str, Any], reference: str
) -> None:
    _upload(client, _lines(GOOD))
    wanted = {**config, "data": {"dataset": reference}}
    for address in ("/api/runs", "/api/runs/validate"):
        answer = client.post(address, json={"config": wanted}).json()
        (error,) = answer["errors"]
        assert (error["code"], error["field"]) == ("dataset_unknown", "data.dataset")
    sets = [{"name": "own", "dataset": reference}]
    answer = client.post("/api/evaluations", json={"model": config["model"], "sets": sets})
    assert answer.json()["errors"][0]["field"] == "sets.dataset"


def test_a_study_reads_a_data_set(client: TestClient, config: dict[str, Any]) -> None:
    project = client.post("/api/projects", json={"name": "P"}).json()["id"]
    asked = {"name": "sums", "file_name": "sums.jsonl", "project_id": project}
    made = client.post("/api/datasets/upload", params=asked, content=_lines(GOOD)).json()
    plan = {
        "name": "s",
        "project": "P",
        "seeds": [1, 2],
        "base": {**config, "data": {"dataset": "sums@1"}},
        "factors": {"rate": {"low": {"training": {"learning_rate": 1e-5}}, "usual": {}}},
    }
    answer = client.post("/api/studies", json=plan)
    assert answer.status_code == 201, answer.text
    assert client.delete(f"/api/datasets/{made['dataset_id']}").status_code == 409


def test_uploaded_text_is_data(
    client: TestClient, config: dict[str, Any], database: Database, settings: Settings
) -> None:
    text = "{{7*7}} {prompt} ${x} {% raw %} {demonstration} %s"
    _upload(client, _lines([{"question": text, "answer": text, "rationale": text}] * 20))
    run = client.post("/api/runs", json={"config": {**config, "data": {"dataset": "sums@1"}}})
    assert run.status_code == 201, run.text
    with database.read() as session:
        given = RunConfig.model_validate(resolve_run(session, settings, run.json()["id"]))
    record = next(iter(read_records(given.data)))
    assert student_messages(record, given)[-1]["content"] == text
    taught = teacher_messages(record, given)[-1]["content"]
    assert taught.count(text) == 3
    assert "49" not in taught


def test_data_roots_do_not_hinder_data_sets(settings: Settings, config: dict[str, Any]) -> None:
    closed = settings.model_copy(update={"data_roots": (settings.home / "none",)})
    app = create_app(closed)
    app.dependency_overrides[get_settings] = lambda: closed
    with TestClient(app, base_url="http://127.0.0.1") as client:
        _upload(client, _lines(GOOD))
        answer = client.post("/api/runs", json={"config": config})
        assert answer.json()["code"] == "data_outside_roots"
        wanted = {**config, "data": {"dataset": "sums@1"}}
        assert client.post("/api/runs", json={"config": wanted}).status_code == 201


def test_benchmarks_are_listed_with_what_is_here(
    client: TestClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "gsm8k").mkdir()
    (tmp_path / "gsm8k" / "test.jsonl").write_text("")
    monkeypatch.setenv("UNISD_BENCHMARK_DIR", str(tmp_path))
    items = {one["name"]: one for one in client.get("/api/datasets/benchmarks").json()["items"]}
    gsm8k = items["gsm8k"]
    assert (gsm8k["title"], gsm8k["licence"], gsm8k["train"]) == ("GSM8K", "MIT", "train")
    assert {split["name"]: split["here"] for split in gsm8k["splits"]} == {
        "train": False,
        "test": True,
    }
    assert items["humaneval"]["train"] is None
