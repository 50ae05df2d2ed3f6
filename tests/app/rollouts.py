"""Runs whose rollouts are recorded without a trainer: real Parquet files, the real ingest."""

from __future__ import annotations

import json
import random
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from app.db import Database
from app.models import Project, Run
from app.runs.ingest import ingest
from core.config import RunConfig
from tests.app.conftest import claim_run

WORDS = ("So", " it", " is", " A", " B")
ROWS = 8


def _row(number: int) -> dict[str, Any]:
    """A rollout of seven tokens; every fourth does not count in the loss."""
    chance = random.Random(number)
    words = [*chance.choices(WORDS, k=6), "<end>"]
    views = [[round(chance.uniform(-3, 0), 3) for _ in words] for _ in range(3)]
    numbers = [round(chance.random(), 3) for _ in words]
    return {
        "student_prompt_text": "<user>Which?",
        "teacher_prompt_text": "<user>Which? It is A.",
        "token_ids": list(range(7)),
        "tokens": words,
        "parts": ["reasoning"] * 5 + ["answer letter", "end"],
        "auxiliary_logprobs": views,
        "disagreement": np.var(views, axis=0, ddof=1).tolist(),
        "weight": None if number % 4 == 0 else [0.5] * len(words),
        "agreement_level": "token",
        **{f"{view}_logprob": [-value for value in numbers] for view in ("student", "teacher")},
        **dict.fromkeys(("divergence", "entropy_student", "entropy_teacher"), numbers),
        **{f"topk_{view}_texts": [["A"]] * 7 for view in ("student", "teacher")},
        **{f"topk_{view}_logprobs": [[-0.1]] * 7 for view in ("student", "teacher")},
    }


@dataclass
class RecordedRun:
    """A claimed run with an attempt's folder.

    Attributes:
        rows: all rollouts, each with its `event`.
    """

    database: Database
    id: str
    attempt_id: int
    folder: Path
    rows: list[dict[str, Any]] = field(default_factory=list)

    def record(self) -> None:
        """Write one more file of rollouts, and tell of them."""
        file, first = len(self.rows) // ROWS, len(self.rows)
        some = [_row(first + place) for place in range(ROWS)]
        path = self.folder / f"{file}.parquet"
        pq.write_table(pa.Table.from_pylist(some), path, row_group_size=4)
        for place, row in enumerate(some):
            row["event"] = _event(first + place, row, file, place)
        self.rows += some
        lines = [json.dumps(row["event"]).encode() for row in some]
        with self.database.write() as session:
            ingest(session, self.attempt_id, first, lines, first + ROWS)


def _event(number: int, row: dict[str, Any], file: int, place: int) -> dict[str, Any]:
    mean = float(np.mean(row["disagreement"]))
    return {
        "kind": "trajectory",
        "seq": number,
        "time": 1.0,
        "step": 1 + number // 4,
        "record_id": f"r{number % 5}",
        "pinned": False,
        "prompt": f"p{number}",
        "completion": "".join(row["tokens"]),
        "reference": "r",
        "tokens": 7,
        "truncated": False,
        "divergence": float(np.mean(row["divergence"])),
        "disagreement": mean,
        "disagreement_max": max(row["disagreement"]),
        "weight": row["weight"] and 0.5,
        "grade": None if number % 6 == 0 else float(mean < 1),
        "file": f"trajectories/{file}.parquet",
        "row": place,
    }


def make_recorded_run(database: Database, folder: Path, files: int) -> RecordedRun:
    """A run with three auxiliary teachers and some files of rollouts below `folder`."""
    agreement = {"enabled": True, "views": 3}
    config = RunConfig.model_validate(
        {"data": {"path": "d"}, "objective": {"agreement": agreement}}
    )
    with database.write() as session:
        session.add(session.get(Project, "p") or Project(id="p", name="P"))
        session.flush()
        run = Run(project_id="p", name="disputed", config=config.model_dump(mode="json"))
        session.add(run)
        session.flush()
        run_id = run.id
    claim = claim_run(database, run_id, folder / "{number}")
    records = folder / "1" / "trajectories"
    records.mkdir(parents=True)
    made = RecordedRun(database, run_id, claim.attempt_id, records)
    for _ in range(files):
        made.record()
    return made
