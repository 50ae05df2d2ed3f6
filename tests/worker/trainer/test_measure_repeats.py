"""How much a completion repeats itself."""

from __future__ import annotations

import pytest

from worker.trainer.measure import PHRASE, repeated


@pytest.mark.parametrize(
    ("ids", "again"),
    [
        ([], 0),
        ([1] * (PHRASE - 1), 0),
        ([1] * PHRASE, 0),
        ([1] * 20, 16),
        ([1, 2] * 10, 15),  # "I am" ten times: all but the first of either phase
        (list(range(20)), 0),
        ([1, 2, 3, 4, 9, 1, 2, 3, 4], 1),
    ],
)
def test_phrases_that_stood_in_the_completion_before_are_counted(ids, again):
    assert repeated(ids) == again
