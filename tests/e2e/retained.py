"""A tiny model that was trained and evaluated for real, and a database that knows of it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from app.db import Database
from app.models import Attempt, Run
from app.runs.ingest import ingest
from core.config import RunConfig
from tests.app.compared import make_run
from tests.worker.trainer.tiny import make_records, tiny_config
from worker.trainer.__main__ import main

QUESTIONS = 24
STEPS = 4


def even(record: dict[str, Any], answer: str) -> bool:
    """Grades a random model, which says nothing that is right: some of it must be."""
    del record
    return sum(answer.encode()) % 2 == 0


def train(folder: Path, model: Path) -> Path:
    """Train a few steps, so large that the model moves, and evaluate before, between and after.

    Returns:
        The attempt's folder. Beside it, `run.yaml` is its configuration.
    """
    data = folder / "benchmarks" / "gsm8k"
    data.mkdir(parents=True)
    rows = [
        {"question": f"How many are {n} and {n}?", "answer": f"{2 * n} of them.\n#### {2 * n}"}
        for n in range(QUESTIONS)
    ]
    (data / "test.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    config = tiny_config(
        model,
        make_records(folder / "records.jsonl"),
        training={"max_steps": STEPS, "learning_rate": 0.05, "checkpoint_every_steps": 2},
        evaluation={
            "benchmarks": ["gsm8k"],
            "every_steps": 2,
            "max_new_tokens": 16,
            "retention": True,
            "grader": f"{__name__}:even",
        },
    )
    (folder / "run.yaml").write_text(yaml.safe_dump(config))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("UNISD_BENCHMARK_DIR", str(data.parent))
        patch.setenv("UNISD_CACHE_DIR", str(folder / "cache"))
        patch.setenv("UNISD_ALLOW_CUSTOM_GRADERS", "1")
        assert main([str(folder / "run.yaml"), "--out", str(folder / "attempt-1")]) == 0
    return folder / "attempt-1"


def show(database: Database, attempt_folder: Path) -> str:
    """A run that a worker has reported so. Returns its identifier."""
    raw = yaml.safe_load((attempt_folder.parent / "run.yaml").read_text())
    config = RunConfig.model_validate(raw).model_dump(mode="json")
    run_id = make_run(database, "tiny", config=config)
    # Whose weights a checkpoint is, its path says.
    home = attempt_folder.parent / "runs" / run_id
    home.mkdir(parents=True)
    (home / "attempt-1").symlink_to(attempt_folder)
    lines = (attempt_folder / "events.jsonl").read_bytes().splitlines()
    with database.write() as session:
        attempt = Attempt(run_id=run_id, number=1, hostname="h", directory=str(home / "attempt-1"))
        session.add(attempt)
        session.get_one(Run, run_id).attempt_count = 1
        session.flush()
        ingest(session, attempt.id, 0, lines, 1)
    return run_id
