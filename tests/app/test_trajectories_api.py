"""Token records as the API gives them, of files with and without the mechanisms' columns."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from fastapi.testclient import TestClient

from app.db import Database
from app.runs.ingest import ingest
from tests.app.conftest import claim_run

FIRST_FORMAT: dict[str, Any] = {
    "student_prompt_text": "<user>2 + 2?",
    "teacher_prompt_text": "<user>2 + 2? It is 4.",
    "token_ids": [7, 8],
    "tokens": ["It", " is"],
    "student_logprob": [-1.0, -0.5],
    "teacher_logprob": [-0.25, -0.75],
    "divergence": [0.5, 0.125],
    "entropy_student": [1.5, 1.0],
    "entropy_teacher": [0.5, 0.25],
    "contribution": [0.25, 0.0625],
    "topk_student_texts": [["It", "So"], [" is", " was"]],
    "topk_student_logprobs": [[-1.0, -2.0], [-0.5, -3.0]],
    "topk_teacher_texts": [["It", "Yes"], [" is", " be"]],
    "topk_teacher_logprobs": [[-0.25, -4.0], [-0.75, -5.0]],
}
EVERY_MECHANISM: dict[str, Any] = {
    **FIRST_FORMAT,
    "source": "rollout",
    "auxiliary_prompt_texts": ["first", "second", "third"],
    "negative_prompt_text": "wrong",
    "negative_logprob": [-2.0, -2.5],
    "auxiliary_logprobs": [[-0.5, -1.0], [-0.25, -2.0], [-0.125, -3.0]],
    "disagreement": [0.25, 2.0],
    "weight": [0.75, 0.125],
    "divergence_clipped": [0.375, 0.125],
    "contrastive": [0.0, 1.25],
    "feature_distance": [0.5, 0.0625],
    "contribution_divergence": [0.125, 0.03125],
    "contribution_contrastive": [0.0, 0.03125],
    "contribution_feature": [0.125, 0.0],
    "contribution_cross_entropy": None,
}
TEACHER_COLUMNS = ("teacher_logprob", "divergence", "entropy_teacher")
NO_TEACHER: dict[str, Any] = {
    **dict.fromkeys(EVERY_MECHANISM),
    **{name: value for name, value in FIRST_FORMAT.items() if name not in TEACHER_COLUMNS},
    "topk_teacher_texts": None,
    "topk_teacher_logprobs": None,
    "source": "reference",
    "contribution_cross_entropy": [0.25, 0.0625],
}


@pytest.fixture
def read(client: TestClient, config: dict[str, Any], database: Database, tmp_path: Path) -> Any:
    def record(row: dict[str, Any]) -> dict[str, Any]:
        run_id = client.post("/api/runs", json={"config": config}).json()["id"]
        claim = claim_run(database, run_id, tmp_path / "{number}")
        (tmp_path / "1").mkdir()
        pq.write_table(pa.Table.from_pylist([row]), tmp_path / "1" / "records.parquet")
        event = {
            "kind": "trajectory",
            "seq": 0,
            "time": 1.0,
            "step": 1,
            "record_id": "r",
            "pinned": False,
            "prompt": "2 + 2?",
            "completion": "It is",
            "reference": "4",
            "tokens": 2,
            "truncated": False,
            "divergence": None,
            "file": "records.parquet",
            "row": 0,
        }
        with database.write() as session:
            ingest(session, claim.attempt_id, 0, [json.dumps(event).encode()], 1)
        url = f"/api/runs/{run_id}/trajectories"
        (item,) = client.get(url).json()["items"]
        answer = client.get(f"{url}/{item['id']}")
        assert answer.status_code == 200, answer.text
        body: dict[str, Any] = answer.json()
        return body

    return record


def test_a_file_of_the_first_format_is_read_without_the_mechanisms(read: Any) -> None:
    detail = read(FIRST_FORMAT)
    assert (detail["source"], detail["negative_prompt"]) == (None, None)
    assert detail["auxiliary_prompts"] == []
    first, second = detail["token_values"]
    assert first["divergence"] == 0.5
    assert second["teacher_logprob"] == -0.75
    assert first["contribution"] == 0.25
    assert first["contributions"] == {}
    for name in ("weight", "disagreement", "contrastive", "feature_distance", "negative_logprob"):
        assert first[name] is None
    assert first["auxiliary_logprobs"] is None
    assert second["student_top"][1] == {"text": " was", "logprob": -3.0}


def test_every_mechanism_has_its_values_at_the_token(read: Any) -> None:
    detail = read(EVERY_MECHANISM)
    assert detail["source"] == "rollout"
    assert detail["auxiliary_prompts"] == ["first", "second", "third"]
    assert detail["negative_prompt"] == "wrong"
    first, second = detail["token_values"]
    assert second["auxiliary_logprobs"] == [-1.0, -2.0, -3.0]
    assert (second["weight"], second["disagreement"]) == (0.125, 2.0)
    assert (first["divergence"], first["divergence_clipped"]) == (0.5, 0.375)
    assert (second["contrastive"], second["negative_logprob"]) == (1.25, -2.5)
    assert first["feature_distance"] == 0.5
    assert first["contributions"] == {
        "divergence": 0.125,
        "contrastive": 0.0,
        "feature_matching": 0.125,
    }


def test_a_loss_without_a_teacher_has_no_teachers_values(read: Any) -> None:
    detail = read(NO_TEACHER)
    assert detail["teacher_prompt"] == FIRST_FORMAT["teacher_prompt_text"]
    first, _ = detail["token_values"]
    assert first["student_logprob"] == -1.0
    assert (first["teacher_logprob"], first["divergence"], first["teacher_entropy"]) == (None,) * 3
    assert first["teacher_top"] == []
    assert first["contributions"] == {"cross_entropy": 0.25}
