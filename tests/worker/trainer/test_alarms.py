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


def rung(tmp_path, steps, sequences=8):
    log = EventLog(tmp_path)
    watch = Watch(log, sequences)
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


# A run whose teacher is the student as it moves (`live`), step by step: it ends in "I am, I am".
COLLAPSING = {
    "train/loss": [0.247, 0.278, 0.27, 0.268, 0.281, 0.146, 0.0715, 0.06, 0.0598, 0.0528, 0.0444],
    "train/entropy/student": [1.2, 0.84, 1.14, 1.37, 1.42, 1.68, 1.58, 1.76, 1.86, 1.98, 1.72],
    "train/completion_length": [16.1, 12.8, 19.5, 17.4, 22.5, 27.5, 30.1, 32, 32, 32, 32],
    "train/truncated_share": [0.25, 0.25, 0.375, 0.25, 0.5, 0.625, 0.875, 1, 1, 1, 1],
}


def by_step(columns):
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


def test_a_collapse_that_lowers_the_loss_and_keeps_the_entropy_is_told(tmp_path):
    assert rung(tmp_path / "a", by_step(COLLAPSING)) == [(10, "completions_endless")]
    # Another task, where many completions were cut off from the start.
    shares = [0.125, 0.75, 0.75, 0.625, 0.375, 0.5, 0.75, 0.875, 0.875, 1, 1, 1, 1]
    steps = by_step({"train/truncated_share": shares})
    assert rung(tmp_path / "b", steps) == [(12, "completions_endless")]


@pytest.mark.parametrize(
    ("name", "bad", "code"),
    [
        ("train/repeated_share", 0.7, "completions_repetitive"),
        ("train/truncated_share", 1.0, "completions_endless"),
        ("train/divergence", 3.0, "divergence_exploded"),
    ],
)
def test_going_astray_is_told_once_chance_does_not_explain_it(tmp_path, name, bad, code):
    good = {name: 0.1}
    lasting = [{name: bad}] * 3
    assert rung(tmp_path / "a", [good] * 3 + lasting) == [(6, code)]
    assert rung(tmp_path / "b", [good] * 3 + [*lasting[:2], good] * 5) == []
    # A batch of one sequence says little: what three of it show may be chance.
    assert rung(tmp_path / "c", [good] * 24 + lasting * 7, sequences=1) == []
    assert rung(tmp_path / "d", [good] * 24 + lasting * 8, sequences=1) == [(48, code)]
    # What was so from the start is how this task is, not a collapse.
    assert rung(tmp_path / "e", [{name: bad}] * 12) == []


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
