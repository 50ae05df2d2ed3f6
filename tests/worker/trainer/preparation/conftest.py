from __future__ import annotations

import pytest

from tests.worker.trainer.preparation.asked import write_records


@pytest.fixture(autouse=True)
def cache_of_the_test(tmp_path, monkeypatch):
    monkeypatch.setenv("UNISD_CACHE_DIR", str(tmp_path / "cache"))


@pytest.fixture
def quiz(tmp_path):
    """Multiple choice; every second record has no rationale."""
    rows = [
        {
            "id": f"q{index}",
            "question": f"Where is thing {index}?",
            "choices": ["in the bank", "in the mall", "in the mine"],
            "answer": "in the mall",
            **({"rationale": f"Thing {index} is sold."} if index % 2 == 0 else {}),
        }
        for index in range(6)
    ]
    return write_records(tmp_path / "quiz.jsonl", rows)
