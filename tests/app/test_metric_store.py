from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select

from app.db import Database
from app.metrics import repository, sketch, store
from app.metrics.points import Points, join, pack, unpack
from app.models import Attempt, MetricChunk, Project, Run
from core.events import MetricsEvent, number, written
from core.states import RunStatus

VALUE = st.one_of(
    st.floats(allow_nan=False, allow_infinity=False).map(lambda value: value + 0.0),
    st.sampled_from([math.nan, math.inf, -math.inf]),
)
POINT = st.tuples(st.sampled_from(["a", "b/c"]), st.integers(0, 60), VALUE)
BATCHES = st.lists(st.tuples(st.integers(0, 1), st.lists(POINT, max_size=12)), max_size=8)
Expected = dict[int, dict[str, dict[int, tuple[float, float]]]]
"""Attempt, metric and step to value and time."""


def _event(seq: int, step: int, **values: float) -> MetricsEvent:
    return MetricsEvent(
        seq=seq,
        time=1e9 + seq / 7,
        step=step,
        total_steps=100,
        epoch=0.0,
        values={name: written(value) for name, value in values.items()},
    )


class Place:
    """A run with two attempts."""

    def __init__(self, database: Database) -> None:
        self.database = database
        with database.write() as session:
            project = Project(name=f"P{len(session.scalars(select(Project)).all())}")
            session.add(project)
            session.flush()
            run = Run(project_id=project.id, name="r", config={}, status=RunStatus.QUEUED)
            session.add(run)
            session.flush()
            attempts = [
                Attempt(run_id=run.id, number=number, hostname="h", directory="/d")
                for number in (1, 2)
            ]
            session.add_all(attempts)
            session.flush()
            self.run_id, self.attempts = run.id, [attempt.id for attempt in attempts]

    def append(self, attempt: int, *events: MetricsEvent) -> None:
        with self.database.write() as session:
            store.append(session, self.run_id, self.attempts[attempt], events)

    def series(self, attempt: int, *ends: int | None) -> dict[str, Points]:
        with self.database.read() as session:
            return dict(repository.series(session, self.attempts[attempt], (), *ends))

    def newest(self, *names: str) -> dict[str, repository.Newest]:
        with self.database.read() as session:
            wanted = repository.name_ids(session, names)
            return repository.newest(session, [self.run_id], wanted).get(self.run_id, {})

    def chunks(self) -> list[int]:
        with self.database.read() as session:
            statement = select(MetricChunk.points).order_by(MetricChunk.number)
            return list(session.scalars(statement))


@pytest.fixture
def place(database: Database) -> Place:
    return Place(database)


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(batches=BATCHES)
def test_what_is_read_is_what_was_reported(
    database: Database,
    monkeypatch: pytest.MonkeyPatch,
    batches: list[tuple[int, list[tuple[str, int, float]]]],
) -> None:
    """Against a dictionary, whatever the order of steps and whichever attempt is read first."""
    monkeypatch.setattr(store, "FULL", 4)
    monkeypatch.setattr(store, "LARGEST", 6)
    place, seq = Place(database), 0
    expected: Expected = {0: {}, 1: {}}
    for attempt, points in batches:
        events = []
        for name, step, value in points:
            events.append(_event(seq, step, **{name: value}))
            expected[attempt].setdefault(name, {})[step] = (value, events[-1].time)
            seq += 1
        place.append(attempt, *events)
    for attempt in (0, 1):
        found = place.series(attempt)
        assert found.keys() == expected[attempt].keys()
        for name, points in found.items():
            steps = sorted(expected[attempt][name])
            rows = [expected[attempt][name][step] for step in steps]
            assert points.steps.tolist() == steps
            np.testing.assert_array_equal(points.values, [value for value, _ in rows])
            np.testing.assert_array_equal(points.times, [time for _, time in rows])
    _check_newest(place, expected)


def _check_newest(place: Place, expected: Expected) -> None:
    for name, newest in place.newest("a", "b/c").items():
        of_name = [expected[attempt][name] for attempt in (0, 1) if name in expected[attempt]]
        step = max(of_name[-1])
        np.testing.assert_equal(
            number(newest["non_finite"] or newest["last"]), of_name[-1][step][0]
        )
        finite = [v for points in of_name for v, _ in points.values() if math.isfinite(v)]
        assert (newest["min"], newest["max"]) == (
            min(finite, default=None),
            max(finite, default=None),
        )


def test_small_batches_fill_chunks_and_large_ones_are_cut(place: Place) -> None:
    with place.database.write() as session:
        for step in range(300):
            event = _event(step, step, a=float(step))
            store.append(session, place.run_id, place.attempts[0], [event])
    assert place.chunks() == [256, 44]
    place.append(0, *(_event(step, step, a=float(step)) for step in range(300, 10_000)))
    assert place.chunks() == [256, 4096, 4096, 1552]
    (points,) = place.series(0).values()
    np.testing.assert_array_equal(points.values, np.arange(10_000.0))


def test_a_range_of_steps_is_read_alone(place: Place) -> None:
    place.append(0, *(_event(step, 3 * step, a=float(step)) for step in range(10_000)))
    points = place.series(0, 100, 12_400)["a"]
    assert (int(points.steps[0]), int(points.steps[-1])) == (102, 12_399)
    assert place.series(0, 40_000, None) == {}
    assert len(place.series(0, None, 0)["a"].steps) == 1


def test_a_repeated_step_deep_in_the_past_counts_in_the_extremes(place: Place) -> None:
    place.append(0, *(_event(step, step, a=float(step)) for step in range(5000)))
    place.append(0, _event(5000, 4999, a=-7.0), _event(5001, 0, a=3.0))
    found = {"last": -7.0, "non_finite": None, "min": -7.0, "max": 4998.0}
    assert place.newest("a")["a"] == found
    with place.database.read() as session:
        total = session.scalars(select(func.sum(MetricChunk.total))).one()
    assert total == sum(range(5000)) - 4999 - 7 + 3


def test_values_that_are_not_finite_stay_which_they_were(place: Place) -> None:
    place.append(0, _event(0, 1, a=math.nan, b=math.inf, c=-math.inf, d=1.0))
    found = {name: points.values.tolist() for name, points in place.series(0).items()}
    assert math.isnan(found["a"][0])
    assert (found["b"], found["c"], found["d"]) == ([math.inf], [-math.inf], [1.0])
    names = {name: one["non_finite"] for name, one in place.newest("a", "b", "c", "d").items()}
    assert names == {"a": "NaN", "b": "Infinity", "c": "-Infinity", "d": None}


@given(
    steps=st.lists(st.integers(0, 2**31 - 1), min_size=1, max_size=50, unique=True),
    even=st.booleans(),
)
def test_packing_keeps_every_bit(steps: list[int], even: bool) -> None:
    chosen = list(range(5, 5 + 3 * len(steps), 3)) if even else sorted(steps)
    points = Points.of(chosen, [math.nan, *map(float, steps[1:])], [s / 7 for s in steps])
    found = unpack(pack(points), len(chosen), chosen[0], chosen[-1])
    for ours, theirs in zip(found, points, strict=True):
        assert ours.tobytes() == theirs.tobytes()


def test_joining_lets_the_later_win() -> None:
    one = Points.of([1, 2, 2], [1.0, 2.0, 2.5], [0.0] * 3)
    two = Points.of([2, 3], [9.0, 3.0], [1.0] * 2)
    assert join([one]).values.tolist() == [1.0, 2.5]
    assert join([one, two]).values.tolist() == [1.0, 9.0, 3.0]
    assert len(join([]).steps) == 0


@given(parts=st.lists(st.integers(0, 90), max_size=8))
def test_a_sketch_is_evenly_spaced_and_ends_with_the_newest(parts: list[int]) -> None:
    data, count = b"", 0
    for length in parts:
        data = sketch.extended(data, count, np.arange(count, count + length, dtype=np.float64))
        count += length
    line = sketch.drawn(data, count, count - 1.0)
    assert len(line) <= 48
    assert line == ([] if not count else [*range(0, count - 1, sketch.stride(count)), count - 1])
    assert count < 48 or len(line) > 23
