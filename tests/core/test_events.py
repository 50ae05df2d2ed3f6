from __future__ import annotations

import json
import math
import struct

import pytest
from pydantic import ValidationError

from core.events import MetricsEvent, number, train_event_adapter, written

HEAD = '{"kind":"metrics","seq":0,"time":0,"step":1,"total_steps":1,"epoch":0,"values":{'


def test_a_line_is_read_as_the_event_that_was_written() -> None:
    event = MetricsEvent(
        seq=3, time=1.5, step=2, total_steps=9, epoch=0.1, values={"train/loss": None, "x": 1.0}
    )
    line = event.model_dump_json()
    assert "NaN" not in line
    assert train_event_adapter.validate_json(line) == event
    assert json.loads(line)["v"] == 1


@pytest.mark.parametrize("value", [1.5, math.nan, math.inf, -math.inf])
def test_a_metric_keeps_its_value_through_json(value: float) -> None:
    event = MetricsEvent(
        seq=0, time=0, step=1, total_steps=1, epoch=0, values={"x": written(value)}
    )
    found = MetricsEvent.model_validate_json(event.model_dump_json())
    assert struct.pack("d", number(found.values["x"])) == struct.pack("d", value)
    assert math.isnan(number(None))
    assert train_event_adapter.validate_json(HEAD + '"x": null}}')


@pytest.mark.parametrize(
    "line",
    [
        "{}",
        '{"kind": "unknown", "seq": 0, "time": 0}',
        '{"kind": "log", "v": 2, "seq": 0, "time": 0, "message": "x"}',
        '{"kind": "log", "seq": -1, "time": 0, "message": "x"}',
        '{"kind": "log", "seq": 0, "time": 0, "message": "x", "more": 1}',
        HEAD + '"x": "nan"}}',
        HEAD + '"x": NaN}}',
    ],
)
def test_what_is_no_event_is_refused(line: str) -> None:
    with pytest.raises(ValidationError):
        train_event_adapter.validate_json(line)
