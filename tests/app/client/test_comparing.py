"""Comparisons, saved views, the search and the preflight with a real server, on both databases."""

from __future__ import annotations

import pytest

from app.client import ConflictError, InvalidError, NotFoundError
from app.client.arrangements import query_of, split
from tests.app.compared import make_config, make_run


@pytest.fixture
def runs(database):
    """A baseline of two seeds, and one run that differs in its batches."""
    return [
        make_run(database, "base seed=1", {1: {"m": 1.0}, 2: {"m": 2.0}}, config=make_config(1)),
        make_run(database, "base seed=2", {1: {"m": 3.0}, 2: {"m": 4.0}}, config=make_config(2)),
        make_run(database, "small", {2: {"m": 9.0}}, config=make_config(1, batch_size=1)),
    ]


def test_runs_are_compared_with_a_baseline_and_their_curves_too(studio, runs):
    found = studio.comparisons.get([runs[2], "gone", *runs[:2]], baseline=runs[0])
    assert (found.baseline, found.missing) == (runs[0], ["gone"])
    assert [len(column.runs) for column in found.columns] == [2, 1]
    base, small = found.metrics[0].cells
    assert (base.value, small.value, small.delta) == (3.0, 9.0, 6.0)
    assert "training.batch_size" in {row.path for row in found.config if row.differs}
    apart = studio.comparisons.get(runs, seeds=False, statistic="min")
    assert [cell.value for cell in apart.metrics[0].cells] == [1.0, 3.0, 9.0]
    curves = studio.comparisons.curves(runs, "m", spread="range").items
    assert (curves[0].values, curves[0].low, curves[0].high) == ([2, 3], [1, 2], [3, 4])
    late = studio.comparisons.curves(runs, "m", window=(2, 2), max_points=5).items
    assert [one.steps[-1] for one in late] == [2, 2]
    apart = studio.comparisons.curves(runs, "m", seeds=False, axis="tokens").items
    assert apart == []  # none of them has counted tokens
    with pytest.raises(InvalidError):
        studio.comparisons.get([])


def test_views_are_kept_and_show_their_runs(studio, runs):
    search = {"q": "base", "status": "succeeded,failed", "sort": "name"}
    search |= {"filter": r"name~seed;name!=a\;b", "columns": "name;metric:m@min;metric:m@max"}
    view = studio.views.create("Baselines", search)
    assert studio.views.find("Baselines").search == studio.views.get(view.id).search == search
    shown = list(studio.views.runs(view))
    assert [row.id for row in shown] == runs[:2]
    assert shown[0].metrics["m"].min == 1.0
    with pytest.raises(ConflictError):
        studio.views.create("Baselines", {})
    changed = studio.views.change(view.id, name="All", search={})
    assert (changed.name, changed.search) == ("All", {})
    assert len(list(studio.views.runs(changed))) == 3
    assert [one.id for one in studio.views.list()] == [view.id]
    studio.views.delete(view.id)
    with pytest.raises(NotFoundError):
        studio.views.find("All")


def test_an_arrangement_is_read_as_the_page_writes_it():
    assert split(r"a;b\;c;d\\") == ["a", "b;c", "d\\"]
    assert query_of({"group": "model", "columns": "param:training.seed;name"}) == {
        "params": ["training.seed"]
    }


def test_things_are_found_by_a_part_of_their_name(studio, runs):
    assert {hit.id for hit in studio.search("base")} == set(runs[:2])
    assert [hit.kind for hit in studio.search(runs[2])] == ["run"]
    assert len(studio.search(limit=1)) == 1


def test_a_preflight_tells_what_a_run_would_meet(studio, config):
    found = studio.runs.preflight(config)
    assert found.data is not None
    assert found.data.records > 0
    with pytest.raises(InvalidError):
        studio.runs.preflight({**config, "training": {"max_step": 3}})
