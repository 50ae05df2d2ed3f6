from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from app.db import Database
from app.runs.ingest import ingest
from tests.app.conftest import claim_run


@pytest.fixture
def wanted(config: dict[str, Any]) -> dict[str, Any]:
    one = {"name": "own", "path": config["data"]["path"]}
    return {"model": config["model"], "sets": [one]}


def test_an_evaluation_is_a_run_of_its_own_kind(
    client: TestClient, wanted: dict[str, Any], config: dict[str, Any]
) -> None:
    answer = client.post("/api/evaluations", json=wanted)
    assert answer.status_code == 201, answer.text
    created = answer.json()
    assert (created["kind"], created["status"]) == ("evaluation", "queued")
    assert created["config"]["sets"][0]["max_new_tokens"] == 256
    trained = client.post("/api/runs", json={"config": config}).json()
    assert trained["kind"] == "training"
    for kind, run in (("evaluation", created), ("training", trained)):
        items = client.get("/api/runs", params={"kind": kind}).json()["items"]
        assert [item["id"] for item in items] == [run["id"]]


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"sets": []}, "sets"),
        ({"sets": [{"name": "Bad Name", "path": "x"}]}, "sets.0.name"),
        ({"sets": [{"name": "own"}]}, "sets.path"),
        ({"sets": [{"name": "own", "path": "/nowhere.jsonl"}]}, "sets.path"),
        ({"model": {"name": "/no/such/model"}}, "model.name"),
        ({"run_id": "none"}, None),
        ({"colour": 1}, "colour"),
    ],
)
def test_mistakes_are_told_with_their_field(
    client: TestClient, wanted: dict[str, Any], change: dict[str, Any], field: str | None
) -> None:
    answer = client.post("/api/evaluations", json=wanted | change)
    assert answer.status_code in {404, 422}, answer.text
    body = answer.json()
    assert body["detail"]
    if field is not None:
        assert field in [problem["field"] for problem in body["errors"]]
    assert client.get("/api/runs").json()["total"] == 0


def test_a_benchmark_that_only_the_worker_may_have_is_a_warning(
    client: TestClient, wanted: dict[str, Any]
) -> None:
    sets = [{"name": "gpqa", "benchmark": "gpqa_diamond"}]
    answer = client.post("/api/evaluations", json=wanted | {"sets": sets})
    assert answer.status_code == 201, answer.text
    assert [one["code"] for one in answer.json()["warnings"]] == ["benchmark_not_found"]


def test_a_run_without_an_adapter_cannot_be_evaluated_yet_but_its_base_can(
    client: TestClient, wanted: dict[str, Any], config: dict[str, Any]
) -> None:
    run = client.post("/api/runs", json={"config": config}).json()
    of_run = {"run_id": run["id"], "sets": wanted["sets"]}
    assert client.post("/api/evaluations", json=of_run).status_code == 409
    both = client.post("/api/evaluations", json=of_run | {"adapter": "/x"})
    assert both.status_code == 422
    base = client.post("/api/evaluations", json=of_run | {"weights": "base"})
    assert base.status_code == 201, base.text
    assert base.json()["config"]["adapter"] is None
    again = client.post("/api/evaluations", json=of_run | {"run_id": base.json()["id"]})
    assert again.status_code == 409


ROWS = [
    {
        "index": index,
        "sample": 0,
        "id": f"q{index}",
        "line": index + 1,
        "task": "choice",
        "prompt": f"Which is {index}?",
        "reference": "A. x",
        "answer": "A" if index % 2 else "B",
        "ids": [1],
        "tokens": 1 + index,
        "truncated": False,
        "extracted": "A" if index % 2 else "B",
        "correct": bool(index % 2),
        "partial": None,
        "detail": None,
    }
    for index in range(4)
]


def _strip(jsd: float) -> dict[str, Any]:
    means = {"tokens": 1, "base_logprob": -1.0, "tuned_logprob": -0.5, "jsd": jsd}
    of_tokens = {"token_jsd": [jsd], "token_base_logprob": [-1.0], "token_tuned_logprob": [-0.5]}
    return means | of_tokens | {"pieces": ["A"]}


@pytest.fixture
def evaluated(
    client: TestClient, wanted: dict[str, Any], database: Database, tmp_path: Path
) -> str:
    """Address of an evaluation's results, as a worker left them."""
    run_id = client.post("/api/evaluations", json=wanted).json()["id"]
    claim = claim_run(database, run_id, tmp_path / "attempt")
    assert claim.kind == "evaluation"
    folder = tmp_path / "results" / "own"
    folder.mkdir(parents=True)
    head = json.dumps({"settings": {}, "fingerprint": "x"})
    lines = [head, *map(json.dumps, ROWS), '{"index": 4, "half']
    (folder / "answers.jsonl").write_text("\n".join(lines))
    compared = [
        {
            "index": row["index"],
            "sample": 0,
            "base_answer": "A",
            "base_correct": True,
            "forward": None if row["index"] == 3 else _strip(0.1 * (row["index"] % 3)),
            "reverse": _strip(0.2),
            "gold": _strip(0.3),
        }
        for row in ROWS
    ]
    (folder / "retention.jsonl").write_text("\n".join([head, *map(json.dumps, compared), ""]))
    summary = {"set": "own", "questions": 4, "accuracy": 0.5, "extracted": 1.0}
    event = {
        "kind": "evaluation",
        "seq": 0,
        "time": 1.0,
        "set": "own",
        "step": 0,
        "path": str(folder),
        "summary": summary,
    }
    with database.write() as session:
        ingest(session, claim.attempt_id, 0, [json.dumps(event).encode()], 1)
    (found,) = client.get(f"/api/runs/{run_id}/evaluations").json()["items"]
    assert found["summary"] == summary
    return f"/api/runs/{run_id}/evaluations/{found['cursor']}/examples"


@pytest.mark.parametrize(
    ("query", "indices"),
    [
        ({}, [0, 1, 2, 3]),
        ({"correct": True}, [1, 3]),
        ({"regressed": True}, [0, 2]),
        ({"regressed": False}, [1, 3]),
        ({"q": "which is 2"}, [2]),
        ({"sort": "-tokens"}, [3, 2, 1, 0]),
        ({"sort": "jsd"}, [0, 1, 2, 3]),
        ({"sort": "-jsd"}, [2, 1, 0, 3]),
        ({"sort": "gain"}, [2, 0, 1, 3]),  # what regressed first, the farthest of it before all
        ({"sort": "-gain"}, [1, 3, 2, 0]),
        ({"sort": "reverse_logprob"}, [2, 1, 0, 3]),
        ({"quadrant": "both_right"}, [1, 3]),
        ({"quadrant": "improved"}, []),
        ({"min_jsd": 0.05}, [1, 2]),
        ({"min_jsd": 0.05, "max_jsd": 0.15, "min_base_logprob": -1}, [1]),
        ({"max_base_logprob": -1.5}, []),
        ({"limit": 1, "offset": 2}, [2]),
    ],
)
def test_examples_are_found_and_sorted(
    client: TestClient, evaluated: str, query: dict[str, Any], indices: list[int]
) -> None:
    page = client.get(evaluated, params=query).json()
    assert [item["index"] for item in page["items"]] == indices
    assert page["total"] == (4 if "limit" in query else len(indices))


def test_an_example_has_its_answer_and_what_was_kept_of_the_base(
    client: TestClient, evaluated: str
) -> None:
    last = client.get(evaluated).json()["items"][-1]
    assert last["answer"] == "A"
    assert last["retention"]["forward"] is None
    assert last["retention"]["gold"]["jsd"] == 0.3
    one = client.get(f"{evaluated}/2").json()["retention"]["forward"]
    assert (one["token_base_logprob"], one["token_tuned_logprob"]) == ([-1.0], [-0.5])
    short = client.get(evaluated, params={"per_token": False}).json()["items"][2]["retention"]
    assert short["forward"] == one | dict.fromkeys(
        ("pieces", "token_jsd", "token_base_logprob", "token_tuned_logprob")
    )
    for wrong in ("9", "2?sample=1"):
        assert client.get(f"{evaluated}/{wrong}").status_code == 404


def test_what_is_not_there(client: TestClient, evaluated: str, tmp_path: Path) -> None:
    wrong = evaluated.replace("/evaluations/", "/evaluations/9")
    assert client.get(wrong).status_code == 404
    (tmp_path / "results" / "own" / "answers.jsonl").unlink()
    gone = client.get(evaluated)
    assert gone.status_code == 503
    assert "UNISD_HOME" in gone.json()["remedy"]


def test_retention_is_summed_up_and_given_point_by_point(
    client: TestClient, evaluated: str
) -> None:
    url = evaluated.replace("/examples", "/retention")
    found = client.get(url).json()
    assert found["quadrants"] == {
        "regressed": 2,
        "improved": 0,
        "both_right": 2,
        "both_wrong": 0,
    }
    assert (found["gain"]["estimate"], found["mcnemar"]["p"]) == (-0.5, 0.5)
    forward = found["directions"]["forward"]
    assert (forward["examples"], forward["empty"]) == (3, 1)
    assert forward["jsd"]["mean"] == pytest.approx(0.1)
    assert forward["jsd"]["median"] == pytest.approx(0.1)
    assert forward["tuned_perplexity"] == pytest.approx(math.exp(0.5))
    points = found["points"]
    assert points["index"] == [0, 1, 2]
    assert points["quadrant"] == ["regressed", "both_right", "regressed"]
    assert points["gain"] == [-1, 0, -1]
    gold = client.get(url, params={"direction": "gold"}).json()["points"]
    assert gold["jsd"] == [0.3] * 4
    assert client.get(url.replace("/evaluations/", "/evaluations/9")).status_code == 404


def test_an_evaluation_against_itself_is_a_flat_zero(client: TestClient, evaluated: str) -> None:
    _, _, _, run_id, _, cursor, _ = evaluated.split("/")
    both = {"first": f"{run_id}:{cursor}", "second": f"{run_id}:{cursor}"}
    answer = client.get("/api/evaluations/compare", params=both)
    assert answer.status_code == 200, answer.text
    found = answer.json()
    assert found["accuracy"]["estimate"] == 0
    assert found["mcnemar"]["p"] == 1
    assert found["retention"]["forward"]["examples"] == 3
    assert found["retention"]["forward"]["jsd"]["estimate"] == 0
    assert found["retention"]["forward"]["lower_jsd"]["estimate"] == 0
    missing = client.get("/api/evaluations/compare", params=both | {"second": f"{run_id}:99"})
    assert missing.status_code == 404
    wrong = client.get("/api/evaluations/compare", params=both | {"second": "x"})
    assert wrong.status_code == 422
