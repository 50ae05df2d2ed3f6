from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from app.runs.series import Point, downsample

VALUE = st.one_of(st.none(), st.floats(-1e6, 1e6, allow_nan=False))


def _points(values: list[float | None]) -> list[Point]:
    return [(step, value, float(step)) for step, value in enumerate(values)]


@given(values=st.lists(VALUE, max_size=400), limit=st.integers(5, 100))
def test_no_spike_is_lost_and_the_ends_stay(values: list[float | None], limit: int) -> None:
    points = _points(values)
    kept = downsample(points, limit)
    assert len(kept) <= max(limit, 5)
    assert kept == sorted(kept, key=lambda point: point[0])
    assert set(kept) <= set(points)
    if points:
        assert kept[0] == points[0]
        assert kept[-1] == points[-1]
    finite = [value for value in values if value is not None]
    if finite:
        shown = [value for _, value, _ in kept if value is not None]
        assert (min(shown), max(shown)) == (min(finite), max(finite))


def test_short_series_stay_as_they_are() -> None:
    points = _points([1.0, None, 2.0])
    assert downsample(points, 5) == points
