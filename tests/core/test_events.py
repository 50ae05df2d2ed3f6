from __future__ import annotations

import json

import pytest
from pydantic import ValidationError

from core.events import MetricsEvent, train_event_adapter


def test_a_line_is_read_as_the_event_that_was_written() -> None:
    event = MetricsEvent(
        seq=3, time=1.5, step=2, total_steps=9, epoch=0.1, values={"train/loss": None, "x": 1.0}
    )
    line = event.model_dump_json()
    assert "NaN" not in line
    assert train_event_adapter.validate_json(line) == event
    assert json.loads(line)["v"] == 1


@pytest.mark.parametrize(
    "line",
    [
        "{}",
        '{"kind": "unknown", "seq": 0, "time": 0}',
        '{"kind": "log", "v": 2, "seq": 0, "time": 0, "message": "x"}',
        '{"kind": "log", "seq": -1, "time": 0, "message": "x"}',
        '{"kind": "log", "seq": 0, "time": 0, "message": "x", "more": 1}',
    ],
)
def test_what_is_no_event_is_refused(line: str) -> None:
    with pytest.raises(ValidationError):
        train_event_adapter.validate_json(line)
