"""What makes a run useless is said at once, and once."""

from __future__ import annotations

import json

import pytest

from tests.worker.trainer.test_training import of_kind, train
from tests.worker.trainer.tiny import tiny_config
from worker.trainer.alarms import REST, Watch
from worker.trainer.event_log import EventLog

HEALTHY = {
    "train/completion_length": 20.0,
    "train/entropy/student": 2.0,
    "train/divergence": 0.3,
}


def rung(tmp_path, steps):
    log = EventLog(tmp_path)
    watch = Watch(log)
    for step, metrics in enumerate(steps, start=1):
        watch.look(step, {**HEALTHY, **metrics})
    log.close()
    lines = map(json.loads, (tmp_path / "events.jsonl").read_text().splitlines())
    return [(line["step"], line["code"]) for line in lines]


def test_a_healthy_run_is_quiet(tmp_path):
    assert rung(tmp_path, [{"train/clipped_share": 0.5, "train/masked_share": 0.4}] * 20) == []


def test_a_teacher_that_equals_the_student_from_the_first_step_on(tmp_path):
    same = {"train/divergence": 1e-9}
    assert rung(tmp_path / "a", [same] * 6) == [(3, "teacher_equals_student")]
    assert rung(tmp_path / "b", [{}, same, same, same, same]) == []


@pytest.mark.parametrize(
    ("name", "value", "code"),
    [
        ("train/clipped_share", 1.0, "everything_clipped"),
        ("train/masked_share", 1.0, "no_loss_tokens"),
        ("train/contrastive/without_negative", 1.0, "teacher_scores_missing"),
        ("train/completion_length", 1.0, "completions_collapsed"),
        ("train/entropy/student", 0.1, "entropy_collapsed"),
    ],
)
def test_each_alarm_rings_once_and_again_only_after_a_rest(tmp_path, name, value, code):
    bad, good = {name: value}, {}
    flickering = [good, bad, good, bad, good, bad]
    assert rung(tmp_path / "a", flickering) == [(2, code)]
    rested = [good, bad, *[good] * REST, bad]
    assert rung(tmp_path / "b", rested) == [(2, code), (len(rested), code)]


def test_both_collapses_are_told(tmp_path):
    both = {"train/completion_length": 1.0, "train/entropy/student": 0.01}
    codes = {code for _, code in rung(tmp_path, [{}, both])}
    assert codes == {"completions_collapsed", "entropy_collapsed"}


@pytest.mark.parametrize(
    ("objective", "code"),
    [
        ({"clipping": {"ceiling": 1e-6}}, "everything_clipped"),
        ({"mask_truncated": True}, "no_loss_tokens"),
    ],
)
def test_a_real_run_raises_them_as_events(tmp_path, tiny_model, records, objective, code):
    config = tiny_config(
        tiny_model, records, objective=objective, generation={"max_completion_length": 2}
    )
    found = of_kind(train(tmp_path, config), "alarm")
    assert [(alarm.code, alarm.step, alarm.severity) for alarm in found] == [(code, 1, "warning")]
    assert found[0].remedy
