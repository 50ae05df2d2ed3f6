"""How a run on several devices ends when one of its processes fails."""

from __future__ import annotations

import os
import signal

import pytest

from core.errors import Problem
from tests.worker.trainer.test_training import events
from worker.trainer import launch
from worker.trainer.event_log import EventLog, SilentLog
from worker.trainer.failures import EXIT_PEER_LOST

PROBLEM = Problem(code="loss_not_finite", message="The loss became nan.", remedy="Lower it.")


@pytest.fixture
def out(tmp_path):
    log = EventLog(tmp_path)
    log.say("Training.")
    log.close()
    return tmp_path


def conclude(failed, out):
    return launch._conclude(failed, 3, out, None)


def leave_problem(out, rank, problem=PROBLEM):
    SilentLog(out, rank).emit("finished", outcome="failed", problem=problem)


def test_the_problem_of_a_process_that_writes_no_events_is_the_runs_last_event(out, capsys):
    leave_problem(out, 2)
    assert conclude({0: EXIT_PEER_LOST, 2: 1}, out) == 1
    said, told, finished = events(out)
    assert [event.seq for event in (said, told, finished)] == [0, 1, 2]
    assert (finished.outcome, finished.problem) == ("failed", PROBLEM)
    assert sorted(path.name for path in out.iterdir()) == ["events.jsonl"]
    assert "Process 2 of 3 ended with 1" in capsys.readouterr().err


def test_a_log_that_has_ended_is_left_alone(out):
    log = launch.take_over(out)
    log.emit("finished", outcome="failed", problem=PROBLEM)
    log.close()
    before = (out / "events.jsonl").read_bytes()
    leave_problem(out, 1, PROBLEM.model_copy(update={"code": "other"}))
    assert conclude({0: 1, 1: 1}, out) == 1
    assert (out / "events.jsonl").read_bytes() == before


def test_a_torn_line_is_left_as_it_is(out):
    with (out / "events.jsonl").open("ab") as file:
        file.write(b'{"v":1,"se')
    assert launch.take_over(out) is None


def test_a_problem_before_the_first_event_begins_the_log(tmp_path):
    leave_problem(tmp_path / "new", 1)
    assert conclude({1: 2}, tmp_path / "new") == 2
    assert [event.kind for event in events(tmp_path / "new")] == ["log", "finished"]


def test_a_process_killed_by_a_signal_gives_no_verdict_and_takes_the_launcher_with_it(out):
    """As a trainer alone would: whoever waits sees the signal, and the run counts as crashed."""
    child = os.fork()
    if not child:
        conclude({0: EXIT_PEER_LOST, 1: -signal.SIGKILL}, out)
        os._exit(0)
    _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) == -signal.SIGKILL
    assert [event.kind for event in events(out)] == ["log"]


def test_nothing_is_left_to_the_defaults_of_accelerate():
    options = launch._options(["run.yaml", "--out", "x", "--launched"], 2)
    assert (options.num_processes, options.multi_gpu, options.standalone) == (2, True, True)
    assert options.gpu_ids == "all"  # CUDA_VISIBLE_DEVICES stays as it is
    assert options.training_script == "worker.trainer"
    assert options.training_script_args == ["run.yaml", "--out", "x", "--launched"]
