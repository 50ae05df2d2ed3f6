"""Starts the processes of a run that trains on several devices of this host, and ends with them.

The processes are children of `accelerate launch`, which runs in this process. They have sessions of
their own, so no signal to our group reaches them; what they know of us is a pipe
(`worker.trainer.lifeline`). When one ends badly, the others are ended within seconds.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from accelerate.commands.launch import launch_command, launch_command_parser
from torch.distributed.elastic.multiprocessing.errors import ChildFailedError

from core.errors import Problem
from core.events import TrainEvent
from worker.trainer.console import describe_problem
from worker.trainer.event_log import PROBLEM_FILE, take_over
from worker.trainer.failures import EXIT_DONE, EXIT_PEER_LOST


def launch(
    arguments: Sequence[str],
    devices: int,
    out: Path,
    listener: Callable[[TrainEvent], None] | None,
) -> int:
    """Train in several processes; standard input is their lifeline by now.

    Args:
        arguments: of `python -m worker.trainer`, for each process.
        devices: processes to start.
        out: the run's folder.
        listener: called with the last event, if it is told here.

    Returns:
        The exit status: that of the process which failed first. If a signal ended that one, it
        ends this one too.
    """
    _prepare_environment()
    try:
        launch_command(_options(arguments, devices))
    except ChildFailedError as error:
        failed = {rank: failure.exitcode for rank, failure in error.failures.items()}
        return _conclude(failed, devices, out, listener)
    return EXIT_DONE


def _prepare_environment() -> None:
    """What the processes need to find each other, and to notice when one is gone."""
    if sys.platform == "linux":  # all are here: the host's name need not lead to it
        os.environ.setdefault("GLOO_SOCKET_IFNAME", "lo")
    # NCCL waits on the GPU for ever unless its watchdog ends the process after the time-out.
    os.environ.setdefault("TORCH_NCCL_ASYNC_ERROR_HANDLING", "1")


def _options(arguments: Sequence[str], devices: int) -> argparse.Namespace:
    """Options of `accelerate launch`, all of them given: nobody's own defaults are mixed in."""
    threads = os.environ.get("OMP_NUM_THREADS") or max(1, (os.cpu_count() or 1) // devices)
    given: dict[str, object] = {
        "num_processes": devices,
        "num_machines": 1,
        "machine_rank": 0,
        "main_process_port": 0,
        "gpu_ids": "all",  # those that CUDA_VISIBLE_DEVICES shows
        "mixed_precision": "no",
        "dynamo_backend": "no",
        "num_cpu_threads_per_process": threads,
        "max_restarts": 0,
        "log_dir": os.devnull,  # else a temporary folder is left behind
    }
    words = [word for name, value in given.items() for word in (f"--{name}", str(value))]
    words += ["--multi_gpu", "--module", "worker.trainer", *arguments]
    options: argparse.Namespace = launch_command_parser().parse_args(words)
    # Options of the launcher below, which `accelerate launch` hands on though it has no words for
    # them. Standalone: the port is found by binding it, so two runs can never be given the same.
    options.standalone = True
    options.local_addr = "127.0.0.1"
    options.signals_to_handle = "SIGQUIT"  # SIGTERM and SIGINT are ours
    return options


def _conclude(
    failed: Mapping[int, int],
    devices: int,
    out: Path,
    listener: Callable[[TrainEvent], None] | None,
) -> int:
    """Say what went wrong, and end as the process did that failed first."""
    rank = min(failed, key=lambda rank: (_is_consequence(failed[rank]), rank))
    code = failed[rank]
    problem = _problem_left(out)
    if problem is not None:
        _tell(problem, out, listener)
    ended = f"was killed by {signal.Signals(-code).name}" if code < 0 else f"ended with {code}"
    sys.stderr.write(f"Process {rank} of {devices} {ended}; all were ended.\n")
    sys.stderr.flush()
    if code < 0:
        _die(-code)
    return code


def _is_consequence(code: int) -> bool:
    """Whether a process ended so because another was gone; NCCL's watchdog aborts it."""
    return code in (EXIT_PEER_LOST, -signal.SIGABRT, -signal.SIGTERM)


def _problem_left(out: Path) -> Problem | None:
    """Why a process failed that writes no events."""
    problem = None
    for file in sorted(out.glob(PROBLEM_FILE.format(rank="*")), reverse=True):
        problem = Problem.model_validate_json(file.read_bytes())
        file.unlink()
    return problem


def _tell(problem: Problem, out: Path, listener: Callable[[TrainEvent], None] | None) -> None:
    """Write the last event, unless the process that leads has written one."""
    log = take_over(out, listener)
    if log is None:
        return
    sys.stderr.write(f"{describe_problem(problem)}\n")
    log.say(str(problem), "error")
    log.emit("finished", outcome="failed", problem=problem)
    log.close()


def _die(number: int) -> None:
    """Let whoever waits for this process see the signal."""
    with suppress(OSError, ValueError):  # SIGKILL has no handler
        signal.signal(number, signal.SIG_DFL)
    os.kill(os.getpid(), number)
