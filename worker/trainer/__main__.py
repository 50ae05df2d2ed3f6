"""Command line of the trainer. Nothing heavy is imported before the signal handlers stand."""

from __future__ import annotations

import argparse
import json
import os
import sys
import traceback
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import asdict
from pathlib import Path
from typing import Final

from core.errors import Problem, StudioError
from core.export_job import PIPE_ARGUMENT
from worker.trainer.configuration import load_config
from worker.trainer.console import print_event, print_problems
from worker.trainer.event_log import EVENTS_FILE, EventLog, SilentLog
from worker.trainer.failures import (
    EXIT_DONE,
    EXIT_FAILED,
    EXIT_PEER_LOST,
    PeerLostError,
    exit_status,
    failure,
    write_failure,
)
from worker.trainer.interrupt import Interrupt, StopRequested, exit_with_supervisor
from worker.trainer.lifeline import Lifeline, follow

USAGE = """\
python -m worker.trainer run.yaml --out DIR [--resume DIR] [--supervised]
       python -m worker.trainer evaluate job.yaml --out DIR [--results DIR] [--supervised]
       python -m worker.trainer export job.yaml --out DIR [--supervised]
       python -m worker.trainer check run.yaml
       python -m worker.trainer estimate run.yaml [--device cpu|cuda|mps] [--json]
       python -m worker.trainer obtain-model DEST [--gguf FILE]"""

EPILOG = """\
exit status: 0 the run ended as asked (finished, or stopped on request); 1 it failed on the way;
2 a mistake in the configuration, the data or the arguments; 75 the supervisor is gone; 76 another
of the processes that train together is gone; training on several devices ends as the process that
failed first, killed by its signal too"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command. Returns the exit status."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    _tame_threads()
    try:
        command = _COMMANDS.get(given[0]) if given else None
        if command is not None:
            return command(given[1:])
        return _train(given)
    except StudioError as error:
        print_problems(error)
        return exit_status(error)


def _train(arguments: list[str]) -> int:
    parser = _parser("Train a LoRA adapter by self-distillation.")
    parser.add_argument("config", type=Path, help="the run's configuration")
    parser.add_argument("--out", type=Path, required=True, help="new folder for everything written")
    parser.add_argument(
        "--supervised", action="store_true", help="end when standard input closes; print nothing"
    )
    parser.add_argument(
        "--resume", type=Path, help="folder of an earlier attempt to go on from", metavar="DIR"
    )
    # One of the processes that a run on several devices starts itself.
    parser.add_argument("--launched", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if (devices := _processes_to_start(options)) > 1:
        return _launch(arguments, devices, options.out, supervised=options.supervised)

    def train(log: EventLog, interrupt: Interrupt) -> None:
        config = load_config(options.config)
        from worker.trainer.memory import keep_freed_memory  # noqa: PLC0415 - torch takes seconds
        from worker.trainer.session import execute  # noqa: PLC0415

        keep_freed_memory()
        execute(config, log, interrupt, options.resume)

    return _run(train, options.out, supervised=options.supervised, launched=options.launched)


def _processes_to_start(options: argparse.Namespace) -> int:
    """1: train in this one. So also where there is a mistake, which the run itself tells."""
    if "RANK" in os.environ or (options.out / EVENTS_FILE).exists():
        return 1
    try:
        return load_config(options.config).training.devices
    except StudioError:
        return 1


def _launch(arguments: list[str], devices: int, out: Path, *, supervised: bool) -> int:
    """Start the processes of a run on several devices, and end with them."""
    lifeline = Lifeline(devices)
    with Interrupt(lifeline.ask_to_stop):
        if supervised:
            exit_with_supervisor(os.dup(0))
        lifeline.become_standard_input()
        from worker.trainer.launch import launch  # noqa: PLC0415 - torch takes seconds

        return launch([*arguments, "--launched"], devices, out, None if supervised else print_event)


def _evaluate(arguments: list[str]) -> int:
    parser = _parser("Answer and grade questions; compare a model with its base.")
    parser.add_argument("config", type=Path, help="the evaluation's configuration")
    parser.add_argument("--out", type=Path, required=True, help="new folder for the event log")
    parser.add_argument(
        "--supervised", action="store_true", help="end when standard input closes; print nothing"
    )
    parser.add_argument(
        "--results",
        type=Path,
        help="folder for what is kept of every example; an evaluation that was cut off goes on "
        "from it (default: the folder of --out)",
        metavar="DIR",
    )
    options = parser.parse_args(arguments)
    results = options.results or options.out

    def evaluate(log: EventLog, interrupt: Interrupt) -> None:
        from worker.trainer.evaluation.job import execute_job, load_job  # noqa: PLC0415 - as above
        from worker.trainer.memory import keep_freed_memory  # noqa: PLC0415

        keep_freed_memory()
        execute_job(load_job(options.config), log, interrupt, results, replace=options.supervised)

    if not options.supervised:
        from worker.trainer.evaluation.job import load_job  # noqa: PLC0415 - as above

        load_job(options.config)  # a mistake in it must not use up the folder
    return _run(evaluate, options.out, supervised=options.supervised)


def _export(arguments: list[str]) -> int:
    parser = _parser("Make files of a run's weights, and check that they answer like the original.")
    parser.add_argument("config", type=Path, help="the export's configuration")
    parser.add_argument("--out", type=Path, required=True, help="new folder for everything written")
    parser.add_argument(
        "--supervised", action="store_true", help="end when standard input closes; print nothing"
    )
    parser.add_argument(PIPE_ARGUMENT, type=int, help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    # At once: nothing that is started later inherits the pipe.
    token = _read_secret(options.pipe)

    def export(log: EventLog, interrupt: Interrupt) -> None:
        from worker.trainer.exporting.job import execute_export, load_job  # noqa: PLC0415 - as above
        from worker.trainer.memory import keep_freed_memory  # noqa: PLC0415

        keep_freed_memory()
        execute_export(load_job(options.config), log, interrupt, token)

    return _run(export, options.out, supervised=options.supervised)


def _generate(arguments: list[str]) -> int:
    parser = _parser("Answer prompts side by side, as a worker asks on standard input.")
    parser.add_argument("--idle-seconds", type=float, required=True, help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    # Whatever a library prints must not come between the lines that the worker reads.
    out = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    from worker.trainer.generation.serve import serve  # noqa: PLC0415 - torch takes seconds
    from worker.trainer.memory import keep_freed_memory  # noqa: PLC0415

    keep_freed_memory()
    serve(options.idle_seconds, out)
    # A thread still reads standard input, and would be found at it by an orderly end.
    os._exit(EXIT_DONE)


def _read_secret(descriptor: int | None) -> str | None:
    """What the supervisor wrote into a pipe: neither arguments nor environment show it."""
    if descriptor is None:
        return None
    with os.fdopen(descriptor, "r", encoding="utf-8") as pipe:
        return pipe.read()


def _open_log(folder: Path, *, quiet: bool) -> EventLog:
    """The log of the process that leads; the others that `accelerate launch` started have none."""
    if int(os.environ.get("RANK", "0")):
        return SilentLog(folder, int(os.environ["RANK"]))
    return EventLog(folder, None if quiet else print_event)


def _run(
    work: Callable[[EventLog, Interrupt], None],
    out: Path,
    *,
    supervised: bool,
    launched: bool = False,
) -> int:
    """Do the work with an event log in `out`."""
    interrupt = Interrupt()
    # A launched process hears of a stop from its launcher; SIGTERM ends it, as another is gone.
    with nullcontext() if launched else interrupt:
        if launched:
            follow(interrupt)
        elif supervised:
            exit_with_supervisor()
        log = _open_log(out, quiet=supervised)
        try:
            return _finish(work, log, interrupt)
        finally:
            log.close()


def _finish(
    work: Callable[[EventLog, Interrupt], None], log: EventLog, interrupt: Interrupt
) -> int:
    """Do the work and write the last event, whatever happens."""
    try:
        work(log, interrupt)
    except StopRequested:
        log.emit("finished", outcome="stopped")
        return EXIT_DONE
    except StudioError as error:
        print_problems(error)
        _finish_failed(log, error)
        return exit_status(error)
    except PeerLostError as error:
        sys.stderr.write(f"{error}\n")
        return EXIT_PEER_LOST
    except Exception as error:  # noqa: BLE001 - the last place where a bug can be told
        traceback.print_exc()
        _finish_failed(log, _internal(error))
        return EXIT_FAILED
    log.emit("finished", outcome="succeeded")
    return EXIT_DONE


def _internal(error: Exception) -> StudioError:
    return failure(
        "internal_error",
        f"The trainer broke: {type(error).__name__}: {error}",
        "This is a bug; please report it with the traceback in the log.",
    )


def _finish_failed(log: EventLog, error: StudioError) -> None:
    """Tell the failure in the event log too, unless it is the log that cannot be written."""
    try:
        for problem in error.problems:
            log.say(str(problem), "error")
        log.emit("finished", outcome="failed", problem=_single(error))
    except StudioError as second:
        print_problems(second)


def _single(error: StudioError) -> Problem:
    """The one problem that the last event can carry; the others stand in the log before it."""
    more = len(error.problems) - 1
    if not more:
        return error.problem
    message = f"{error.problem.message} ({more} more in the log.)"
    return error.problem.model_copy(update={"message": message})


def _check(arguments: list[str]) -> int:
    parser = _parser("Validate a configuration, its data and its model's tokenizer.")
    parser.add_argument("config", type=Path, help="the run's configuration")
    config = load_config(parser.parse_args(arguments).config)
    from worker.trainer.session import check  # noqa: PLC0415 - as above

    sys.stdout.write("\n".join(check(config)) + "\n")
    return EXIT_DONE


def _estimate(arguments: list[str]) -> int:
    parser = _parser("Estimate the memory that a run will need.")
    parser.add_argument("config", type=Path, help="the run's configuration")
    parser.add_argument("--device", choices=["cpu", "cuda", "mps"], help="default: this machine's")
    parser.add_argument("--json", action="store_true", help="bytes as JSON")
    options = parser.parse_args(arguments)
    config = load_config(options.config)
    from worker.trainer.estimate import describe, estimate  # noqa: PLC0415 - as above

    found = estimate(config, options.device)
    text = describe(config, found)
    if options.json:
        text = json.dumps({**asdict(found), "peak": found.peak}, indent=2)
    sys.stdout.write(text + "\n")
    return EXIT_DONE


def _obtain(arguments: list[str]) -> int:
    parser = _parser("Put the demo model, SmolLM2-135M-Instruct, into a folder.")
    parser.add_argument("destination", type=Path, help="folder to create")
    parser.add_argument("--gguf", type=Path, help="GGUF file to convert when the hub is not there")
    options = parser.parse_args(arguments)
    from worker.trainer.obtain import obtain_model  # noqa: PLC0415 - as above

    try:
        origin = obtain_model(options.destination, options.gguf)
    except OSError as error:
        raise write_failure(options.destination, error) from error
    sys.stdout.write(f"{options.destination}: {origin}\n")
    return EXIT_DONE


_COMMANDS: Final[dict[str, Callable[[list[str]], int]]] = {
    "check": _check,
    "evaluate": _evaluate,
    "export": _export,
    "estimate": _estimate,
    "generate": _generate,
    "obtain-model": _obtain,
}


def _tame_threads() -> None:
    """Let threads that wait spin only shortly. Must precede the import of torch.

    OpenMP's threads spin for one that does not run. Sampling with SmolLM2-135M on two cores, ms per
    token alone / with one busy neighbour (a web server, a browser): default 90 / 320, this 115 /
    240, never spinning 160 / 140, one thread 130 / 130. OMP_WAIT_POLICY=ACTIVE or GOMP_SPINCOUNT
    overrides it on a machine that does nothing else.
    """
    if "OMP_WAIT_POLICY" not in os.environ:
        os.environ.setdefault("GOMP_SPINCOUNT", "1000")
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")


def _parser(description: str) -> argparse.ArgumentParser:
    return argparse.ArgumentParser(
        usage=USAGE,
        description=description,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )


if __name__ == "__main__":
    sys.exit(main())
