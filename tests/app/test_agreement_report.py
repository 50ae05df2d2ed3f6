"""The report on teacher agreement against sums made by hand, from real files and both databases."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from fastapi.testclient import TestClient
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import delete

from app.db import Database
from app.models import Run
from app.statistics import wilson
from app.trajectories import agreement
from app.trajectories.token_sums import sums_of
from tests.app.rollouts import ROWS, RecordedRun, make_recorded_run


def test_examples_tokens_parts_and_steps(
    client: TestClient, database: Database, tmp_path: Path
) -> None:
    run = make_recorded_run(database, tmp_path, 3)
    rows = run.rows
    url = f"/api/runs/{run.id}/trajectories"
    found = client.get(f"{url}/agreement").json()
    assert (found["enabled"], found["views"], found["complete"]) == (True, 3, True)
    assert (found["trajectories"], found["read"], found["read_tokens"]) == (24, 24, 24 * 7)
    tokens = [
        (word, value, number, place)
        for number, row in enumerate(rows)
        for place, (word, value) in enumerate(zip(row["tokens"], row["disagreement"], strict=True))
    ]
    means = {
        word: np.mean([one[1] for one in tokens if one[0] == word])
        for word in {one[0] for one in tokens}
    }
    assert [one["text"] for one in found["tokens"]] == sorted(means, key=lambda one: -means[one])
    for one in found["tokens"]:
        worst = max((other for other in tokens if other[0] == one["text"]), key=lambda it: it[1])
        assert one["count"] == sum(other[0] == one["text"] for other in tokens)
        assert one["disagreement"] == pytest.approx(means[one["text"]])
        assert (one["disagreement_max"], one["token"]) == (pytest.approx(worst[1]), worst[3])
        whole = {it["id"]: it["prompt"] for it in client.get(url).json()["items"]}
        assert whole[one["trajectory_id"]] == f"p{worst[2]}"
    letters = next(one for one in found["parts"] if one["part"] == "answer letter")
    assert letters["tokens"] == 24
    assert letters["weight"] == 0.5
    assert letters["disagreement"] == pytest.approx(
        np.mean([row["disagreement"][5] for row in rows])
    )
    assert sum(one["share"] for one in found["parts"]) == pytest.approx(1)
    of_record = {
        record: [row["event"] for row in rows if row["event"]["record_id"] == record]
        for record in {row["event"]["record_id"] for row in rows}
    }
    assert len(found["examples"]) == 5
    for one in found["examples"]:
        events = of_record[one["record_id"]]
        values = [event["disagreement"] for event in events]
        assert one["disagreement"] == pytest.approx(np.mean(values))
        assert one["prompt"] == events[int(np.argmax(values))]["prompt"]
        grades = [event["grade"] for event in events if event["grade"] is not None]
        assert one["grade"] == pytest.approx(np.mean(grades))
    assert [one["rollouts"] for one in found["steps"]] == [4] * 6
    graded = [row["event"] for row in rows if row["event"]["grade"] is not None]
    assert found["graded"] == len(graded) == sum(one["grade"]["n"] for one in found["reliability"])
    assert found["separation"]["probability"] == 1.0  # wrong is whoever is above 1

    # A file that is gone is told of; what was read of it before is still known.
    (run.folder / "0.parquet").unlink()
    assert client.get(f"{url}/agreement").json()["read"] == 24


def _rewrite(path: Path, rows: int = ROWS, **values: Any) -> None:
    """Make a file shorter, or give some of its columns another value in all rows."""
    table = pq.read_table(path).slice(0, rows)
    told = [row | values for row in table.to_pylist()]
    pq.write_table(pa.Table.from_pylist(told), path)


def test_a_new_run_has_nothing_of_a_deleted_one(
    client: TestClient, database: Database, tmp_path: Path
) -> None:
    def texts(run: RecordedRun) -> set[str]:
        found = client.get(f"/api/runs/{run.id}/trajectories/agreement").json()
        return {one["text"] for one in found["tokens"]}

    old = make_recorded_run(database, tmp_path / "old", 1)
    assert " it" in texts(old)
    with database.write() as session:
        session.execute(delete(Run))
    new = make_recorded_run(database, tmp_path / "new", 1)
    if database.engine.dialect.name == "sqlite":
        assert new.attempt_id == old.attempt_id
    _rewrite(new.folder / "0.parquet", tokens=["other"] * 7)
    assert texts(new) == {"other"}


def test_a_copy_of_earlier_and_a_damaged_file_are_told_of_and_read_again(
    client: TestClient, database: Database, tmp_path: Path
) -> None:
    run = make_recorded_run(database, tmp_path, 3)
    url = f"/api/runs/{run.id}/trajectories"

    def read() -> tuple[int, int]:
        found = client.get(f"{url}/agreement").json()
        assert found["complete"]
        return found["read"], found["unreadable"]

    first, second = run.folder / "0.parquet", run.folder / "1.parquet"
    whole = {path: path.read_bytes() for path in (first, second)}
    _rewrite(first, ROWS // 2)
    footer = int.from_bytes(whole[second][-8:-4], "little")
    second.write_bytes(
        b"PAR1" + bytes(len(whole[second]) - 12 - footer) + whole[second][-8 - footer :]
    )
    assert read() == (ROWS // 2 + ROWS, 2)
    damaged = next(it for it in client.get(url).json()["items"] if it["prompt"] == f"p{ROWS}")
    answer = client.get(f"{url}/{damaged['id']}")
    assert (answer.status_code, answer.json()["code"]) == (503, "unavailable")
    for path, content in whole.items():
        path.write_bytes(content)
    assert read() == (3 * ROWS, 0)


def test_tokens_of_a_whole_sequences_weight_have_the_statistic_that_was_asked_for(
    tmp_path: Path,
) -> None:
    views = [[-1.0, -2.0], [-3.0, -2.5], [-2.0, -2.25]]
    row = {
        "tokens": ["A", " B"],
        "disagreement": [9.0, 9.0],
        "weight": None,
        "auxiliary_logprobs": views,
    }
    path = tmp_path / "0.parquet"
    for statistic, expected in (("range", [2.0, 0.5]), ("variance", np.var(views, 0, ddof=1))):
        of_sequence = {"agreement_level": "sequence", "agreement_statistic": statistic}
        pq.write_table(pa.Table.from_pylist([row | of_sequence]), path)
        sums = sums_of(f"{path} {statistic}", 1, lambda: path)
        assert [one.total for one in sums.texts] == pytest.approx(expected)


def test_nothing_to_report_where_agreement_is_off(
    client: TestClient, config: dict[str, Any]
) -> None:
    run_id = client.post("/api/runs", json={"config": config}).json()["id"]
    found = client.get(f"/api/runs/{run_id}/trajectories/agreement").json()
    assert (found["enabled"], found["trajectories"], found["tokens"]) == (False, 0, [])
    assert (found["reliability"], found["separation"]) == ([], None)


GRADED = st.lists(st.tuples(st.sampled_from([0.0, 0.1, 0.5, 2.0, 3.5]), st.booleans()))


@settings(deadline=None)
@given(GRADED)
def test_bins_hold_every_rollout_once_and_the_area_is_that_of_all_pairs(
    graded: list[tuple[float, bool]],
) -> None:
    bins = agreement.reliability(graded)
    assert sum(one.grade.n for one in bins) == len(graded)
    for before, after in pairwise(bins):
        assert before.high < after.low
    for one in bins:
        inside = [correct for value, correct in graded if one.low <= value <= one.high]
        assert one.grade == wilson(sum(inside), len(inside))
    found = agreement.separation(graded)
    pairs = [
        1.0 if wrong > right else 0.5 if wrong == right else 0.0
        for wrong, is_right in graded if not is_right
        for right, other in graded if other
    ]  # fmt: skip
    assert (found is None) == (not pairs)
    if found is not None:
        assert found.probability == pytest.approx(sum(pairs) / len(pairs))
        assert found.low <= found.probability <= found.high
