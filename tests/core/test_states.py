from __future__ import annotations

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from core.states import (
    LEASED,
    RESUMABLE,
    TERMINAL,
    TRANSITIONS,
    IllegalTransitionError,
    RunStatus,
    check_transition,
)


def test_every_state_has_its_moves_and_ended_runs_are_only_taken_up_again() -> None:
    assert set(TRANSITIONS) == set(RunStatus)
    for state in TERMINAL:
        expected = {RunStatus.QUEUED} if state in RESUMABLE else set()
        assert TRANSITIONS[state] == expected
    assert {state for state in RunStatus if TRANSITIONS[state] <= {RunStatus.QUEUED}} == TERMINAL
    assert {RunStatus.SUCCEEDED, RunStatus.STOPPED, RunStatus.FAILED} < TERMINAL
    assert {RunStatus.CRASHED, RunStatus.CANCELLED} < TERMINAL
    assert not TERMINAL & LEASED
    assert RunStatus.QUEUED not in TERMINAL | LEASED


def test_every_state_can_be_reached_and_every_other_can_end() -> None:
    def reachable(start: RunStatus) -> set[RunStatus]:
        seen, todo = set(), [start]
        while todo:
            state = todo.pop()
            if state not in seen:
                seen.add(state)
                todo.extend(TRANSITIONS[state])
        return seen

    assert reachable(RunStatus.QUEUED) == set(RunStatus)
    for state in RunStatus:
        assert reachable(state) & TERMINAL


def test_a_run_that_waits_for_another_attempt_can_be_stopped() -> None:
    assert RunStatus.STOPPED in TRANSITIONS[RunStatus.QUEUED]


def test_cancel_is_before_the_start_and_stop_after() -> None:
    assert RunStatus.CANCELLED in TRANSITIONS[RunStatus.QUEUED]
    assert RunStatus.STOPPING not in TRANSITIONS[RunStatus.QUEUED]
    for state in LEASED:
        assert RunStatus.CANCELLED not in TRANSITIONS[state]


class RunMachine(RuleBasedStateMachine):
    """Whatever is asked of a run, it only ever makes moves of the table."""

    def __init__(self) -> None:
        super().__init__()
        self.state = RunStatus.QUEUED

    @rule(wanted=st.sampled_from(RunStatus))
    def ask(self, wanted: RunStatus) -> None:
        allowed = wanted in TRANSITIONS[self.state]
        if allowed:
            check_transition(self.state, wanted)
            self.state = wanted
        else:
            with pytest.raises(IllegalTransitionError) as raised:
                check_transition(self.state, wanted)
            assert raised.value.current is self.state
            assert str(wanted) in str(raised.value)

    @precondition(lambda self: self.state in TERMINAL)
    @rule(wanted=st.sampled_from([state for state in RunStatus if state != RunStatus.QUEUED]))
    def nothing_follows_the_end_by_itself(self, wanted: RunStatus) -> None:
        with pytest.raises(IllegalTransitionError):
            check_transition(self.state, wanted)

    @invariant()
    def is_known(self) -> None:
        assert self.state in RunStatus


RunMachine.TestCase.settings = settings(max_examples=50, stateful_step_count=20, deadline=None)
TestRunMachine = RunMachine.TestCase
