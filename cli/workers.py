"""`unisd workers` and `unisd queue`: who executes runs, and what waits."""

from __future__ import annotations

from typing import Annotated

import typer

from app.workers.schemas import Gpu, WorkerOut
from cli.telling import (
    AsJson,
    ago,
    gib,
    say,
    say_facts,
    say_json,
    say_table,
    since,
    studio,
    tell,
)
from core.schedule import Queue

app = typer.Typer(
    name="workers",
    help="See who executes runs, and take workers out of service. WORKER is a name, an "
    "identifier or the beginning of one.",
    no_args_is_help=True,
)
queue_app = typer.Typer(
    name="queue", help="See what waits and why; pause and reorder it.", no_args_is_help=True
)
Worker = Annotated[str, typer.Argument(metavar="WORKER", help="Name, identifier or beginning.")]
Reason = Annotated[str, typer.Option(help="Why, for others to read.")]
QueueName = Annotated[Queue, typer.Argument(help="Queue.")]
Run = Annotated[str, typer.Argument(metavar="RUN", help="Identifier, its beginning, or name.")]


@app.command("list")
def list_workers(*, as_json: AsJson = False) -> None:
    """Workers, those alive first."""
    with studio() as client:
        found = list(client.workers.list())
    if as_json:
        say_json(found)
        return
    heads = ["id", "status", "mode", "heard", "gpus", "gpu memory", "name", "run"]
    say_table(
        heads,
        [
            [
                worker.id,
                worker.status,
                worker.mode,
                ago(worker.heartbeat_age),
                worker.hardware.gpus,
                gib(worker.hardware.gpu_memory),
                worker.name,
                worker.run_name,
            ]
            for worker in found
        ],
    )


@app.command()
def show(worker: Worker, *, as_json: AsJson = False) -> None:
    """A worker: what it is made of, what it does, and what is wrong with it."""
    with studio() as client:
        found = client.workers.find(worker)
    if as_json:
        say_json(found)
    else:
        _say_worker(found)


@app.command()
def drain(worker: Worker, reason: Reason = "", *, as_json: AsJson = False) -> None:
    """Have a worker finish its run and take no other."""
    with studio() as client:
        _changed(client.workers.drain(client.workers.find(worker).id, reason), as_json=as_json)


@app.command()
def quarantine(worker: Worker, reason: Reason = "", *, as_json: AsJson = False) -> None:
    """Keep a worker from taking runs because something is wrong with it."""
    with studio() as client:
        found = client.workers.find(worker)
        _changed(client.workers.quarantine(found.id, reason), as_json=as_json)


@app.command()
def resume(worker: Worker, *, as_json: AsJson = False) -> None:
    """Let a worker take runs again."""
    with studio() as client:
        _changed(client.workers.resume(client.workers.find(worker).id), as_json=as_json)


@queue_app.command("show")
def show_queue(
    name: Annotated[Queue | None, typer.Argument(help="Queue. Absent: all.")] = None,
    *,
    as_json: AsJson = False,
) -> None:
    """What waits, in the order in which it starts, and what it waits for."""
    with studio() as client:
        found = [queue for queue in client.queues.list() if name in {None, queue.name}]
    if as_json:
        say_json(found)
        return
    for queue in found:
        by = f" (paused by {queue.changed_by})" if queue.paused else ""
        say(f"{queue.name.value}: {queue.waiting} waiting{by}")
        say_table(
            ["place", "id", "priority", "name", "waits for"],
            [
                [
                    waiting.position,
                    waiting.run.id,
                    waiting.run.priority,
                    waiting.run.name,
                    "; ".join(waiting.reasons) or "its turn",
                ]
                for waiting in queue.runs
            ],
        )


@queue_app.command()
def pause(name: QueueName) -> None:
    """Hold back all runs that wait. Those that have started go on."""
    with studio() as client:
        client.queues.pause(name)
    tell(f"The queue {name.value} is paused.")


@queue_app.command("resume")
def resume_queue(name: QueueName) -> None:
    """Let runs start again."""
    with studio() as client:
        client.queues.resume(name)
    tell(f"The queue {name.value} gives out runs again.")


@queue_app.command()
def move(
    run: Run,
    before: Annotated[
        str | None, typer.Option(metavar="RUN", help="Absent: behind all of its queue.")
    ] = None,
) -> None:
    """Put a waiting run before another one, or behind all."""
    with studio() as client:
        moved = client.runs.find(run)
        other = client.runs.find(before) if before else None
        client.runs.move(moved.id, other.id if other else None)
    tell(f"{moved.id} waits {f'before {other.id}' if other else 'behind all'}.")


@queue_app.command()
def priority(
    run: Run, value: Annotated[int, typer.Argument(min=-100, max=100, help="Higher ones first.")]
) -> None:
    """Set a run's priority."""
    with studio() as client:
        changed = client.runs.change(client.runs.find(run).id, priority=value)
    tell(f"{changed.id} has the priority {changed.priority}.")


def _changed(worker: WorkerOut, *, as_json: bool) -> None:
    if as_json:
        say_json(worker)
    else:
        say(f"{worker.id}  {worker.mode}  {worker.name}")


def _say_worker(worker: WorkerOut) -> None:
    mode = worker.mode
    if worker.mode != "active":
        since_when = f" {since(worker.mode_since)}" if worker.mode_since else ""
        mode_by = f" by {worker.mode_by}{since_when}" if worker.mode_by else ""
        say_reason = f": {worker.mode_reason}" if worker.mode_reason else ""
        mode_words = f"{mode}{mode_by}{say_reason}"
    else:
        mode_words = mode
    say_facts(
        [
            ("worker", worker.id),
            ("name", worker.name),
            ("status", worker.status),
            ("mode", mode_words),
            ("heard", ago(worker.heartbeat_age)),
            ("run", f"{worker.run_name} ({worker.run_id})" if worker.run_id else None),
            ("queues", ", ".join(queue.value for queue in worker.queues)),
            ("labels", ", ".join(worker.labels)),
            ("host", f"{worker.hostname}, process {worker.pid}"),
            ("processor", worker.hardware.cpu),
            ("disk free", gib(worker.usage.disk_free)),
            ("started", f"{ago(worker.started_at)}, {worker.starts} times"),
        ]
    )
    for gpu in worker.usage.gpus:
        say(_gpu(gpu))
    for problem in worker.usage.problems:
        say(str(problem))


def _gpu(gpu: Gpu) -> str:
    used = f"{gib(gpu.memory_used)} of {gib(gpu.memory_total)}"
    busy = "" if gpu.utilization is None else f", {gpu.utilization:.0%} busy"
    heat = "" if gpu.temperature is None else f", {gpu.temperature:.0f} °C"
    power = "" if gpu.power is None else f", {gpu.power:.0f} W"
    return f"GPU {gpu.index} {gpu.name}: {used}{busy}{heat}{power}"
