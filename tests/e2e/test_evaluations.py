"""Evaluations from the API through a real worker to their examples."""

from __future__ import annotations

import json
from typing import Any

from tests.e2e.installation import Installation


def questions() -> str:
    rows = [
        {
            "id": f"q{n}",
            "question": f"Which is {n}?",
            "choices": [str(n + 1), str(n)],
            "answer": str(n),
        }
        for n in range(6)
    ]
    return "".join(json.dumps(row) + "\n" for row in rows)


def test_a_runs_adapter_is_evaluated_and_compared_with_its_base(
    studio: Installation, config: dict[str, Any]
) -> None:
    training = {"max_steps": 3, "batch_size": 2, "checkpoint_every_steps": 2}
    run_id = studio.create(config | {"training": training})
    assert studio.wait_for_end(run_id)["status"] == "succeeded"
    uploaded = studio.http.post(
        "/api/datasets/upload",
        params={"name": "own", "file_name": "questions.jsonl"},
        content=questions(),
    )
    assert uploaded.status_code == 201, uploaded.text
    asked = {
        "name": "own",
        "dataset": "own@1",
        "max_new_tokens": 6,
        "retention": True,
    }
    answer = studio.http.post("/api/evaluations", json={"run_id": run_id, "sets": [asked]})
    assert answer.status_code == 201, answer.text
    created = answer.json()
    assert (created["kind"], created["data"]) == ("evaluation", "own")
    done = studio.wait_for_end(created["id"])
    assert (done["status"], done["problem"]) == ("succeeded", None)
    url = f"/api/runs/{done['id']}/evaluations"
    (result,) = studio.http.get(url).json()["items"]
    assert result["summary"]["questions"] == 6
    page = studio.http.get(f"{url}/{result['cursor']}/examples", params={"limit": 2}).json()
    assert (page["total"], len(page["items"])) == (6, 2)
    example = page["items"][0]
    assert example["reference"] == "B. 0"
    forward = example["retention"]["forward"]
    assert len(forward["token_jsd"]) == len(forward["pieces"]) == forward["tokens"]
    sorted_page = studio.http.get(
        f"{url}/{result['cursor']}/examples", params={"sort": "-jsd"}
    ).json()
    values = [item["retention"]["forward"]["jsd"] for item in sorted_page["items"]]
    assert values == sorted(values, reverse=True)
    listed = studio.http.get("/api/runs", params={"kind": "evaluation"}).json()
    assert [item["id"] for item in listed["items"]] == [done["id"]]
    of_run = {"run_id": run_id, "sets": [asked]}
    missing = studio.http.post("/api/evaluations", json=of_run | {"checkpoint": 1})
    assert missing.status_code == 409
    assert "2" in missing.json()["remedy"]
    kept = studio.http.post("/api/evaluations", json=of_run | {"checkpoint": 2}).json()
    assert kept["config"]["adapter"].endswith("checkpoints/step-00000002")
    assert studio.wait_for_end(kept["id"])["status"] == "succeeded"
