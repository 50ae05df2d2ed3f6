"""The states of a run and the moves between them.

*Cancel* is before the start, *stop* after it. `failed` is the trainer's own verdict (a bad
configuration, a loss that is not finite); `crashed` means that the process or its host went away.
"""

from __future__ import annotations

from enum import StrEnum


class RunKind(StrEnum):
    """What a run does."""

    TRAINING = "training"
    EVALUATION = "evaluation"
    EXPORT = "export"
    """Makes files of another run's weights; shown beside that run, not among runs."""


class StopMode(StrEnum):
    """How a started run is to end."""

    SAVE = "save"
    """Finish the step, write a checkpoint and the adapter."""
    DISCARD = "discard"
    """End at once, keep no weights of the attempt."""
    FORCE = "force"
    """Like `save`, but killed with everything it started when a short countdown ends."""


class Cause(StrEnum):
    """Why a run changed its state."""

    SUBMITTED = "submitted"
    CLAIMED = "claimed"
    WORK_BEGAN = "work_began"
    STOP_REQUESTED = "stop_requested"
    TIME_LIMIT = "time_limit"
    CANCELLED = "cancelled"
    DELETED = "deleted"
    RESUMED = "resumed"
    ENDED = "ended"
    """The trainer's own verdict."""
    KILLED = "killed"
    """It did not stop in time."""
    TRAINER_DIED = "trainer_died"
    WORKER_LEFT = "worker_left"
    """The worker was shut down in order."""
    LEASE_EXPIRED = "lease_expired"
    """The worker was not heard of any more."""
    UNSTARTABLE = "unstartable"
    """The trainer could not even be started."""


class RunStatus(StrEnum):
    """State of a run."""

    QUEUED = "queued"
    STARTING = "starting"
    RUNNING = "running"
    STOPPING = "stopping"
    STOPPED = "stopped"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CRASHED = "crashed"
    CANCELLED = "cancelled"


TRANSITIONS: dict[RunStatus, frozenset[RunStatus]] = {
    # A run that waits for its next attempt has started before: it is stopped, not cancelled.
    RunStatus.QUEUED: frozenset({RunStatus.STARTING, RunStatus.CANCELLED, RunStatus.STOPPED}),
    RunStatus.STARTING: frozenset(
        {
            RunStatus.RUNNING,
            RunStatus.STOPPING,
            RunStatus.FAILED,
            RunStatus.CRASHED,
            RunStatus.QUEUED,
        }
    ),
    RunStatus.RUNNING: frozenset(
        {
            RunStatus.STOPPING,
            RunStatus.SUCCEEDED,
            RunStatus.FAILED,
            RunStatus.CRASHED,
            RunStatus.QUEUED,
        }
    ),
    # A run may finish or break while it is being stopped; the truth wins over the wish.
    RunStatus.STOPPING: frozenset(
        {RunStatus.STOPPED, RunStatus.SUCCEEDED, RunStatus.FAILED, RunStatus.CRASHED}
    ),
    # Only a person's wish takes up a run that has ended.
    RunStatus.STOPPED: frozenset({RunStatus.QUEUED}),
    RunStatus.FAILED: frozenset({RunStatus.QUEUED}),
    RunStatus.CRASHED: frozenset({RunStatus.QUEUED}),
    RunStatus.SUCCEEDED: frozenset(),
    RunStatus.CANCELLED: frozenset(),
}

RESUMABLE: frozenset[RunStatus] = frozenset(
    {RunStatus.STOPPED, RunStatus.FAILED, RunStatus.CRASHED}
)
"""States from which a run can be taken up again."""

TERMINAL: frozenset[RunStatus] = RESUMABLE | {RunStatus.SUCCEEDED, RunStatus.CANCELLED}
"""States that a run does not leave by itself."""

LEASED: frozenset[RunStatus] = frozenset(
    {RunStatus.STARTING, RunStatus.RUNNING, RunStatus.STOPPING}
)
"""States in which a worker holds the run's lease."""


class IllegalTransitionError(Exception):
    """A move that the transition table does not allow."""

    def __init__(self, current: RunStatus, wanted: RunStatus) -> None:
        self.current = current
        self.wanted = wanted
        super().__init__(f"a run that is {current} cannot become {wanted}")


def check_transition(current: RunStatus, wanted: RunStatus) -> None:
    """Raise `IllegalTransitionError` unless a run may go from `current` to `wanted`."""
    if wanted not in TRANSITIONS[current]:
        raise IllegalTransitionError(current, wanted)
