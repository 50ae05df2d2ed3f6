"""`unisd`: the studio's command line."""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
from pathlib import Path
from typing import Annotated

import typer
import yaml

from app.migrate import upgrade
from cli.comparing import compare, search, views_app
from cli.datasets import app as datasets
from cli.demo import run_demo
from cli.environment import read_settings
from cli.evaluation import app as evaluation
from cli.exports import app as exports
from cli.generating import generate
from cli.metrics import metrics
from cli.runs import app as runs
from cli.serve import serve
from cli.study import app as study
from cli.trajectories import app as trajectories
from cli.up import REAPER_COMMAND, run_up, worker_command
from cli.workers import app as workers
from cli.workers import queue_app as queue
from core.config import RunConfig
from core.errors import StudioError
from core.presets import PRESETS, expand_preset

app = typer.Typer(
    name="unisd",
    help="UniSD Studio: adapt language models by self-distillation.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
app.add_typer(runs)
app.add_typer(exports)
app.add_typer(trajectories)
app.command()(metrics)
app.command()(compare)
app.command()(search)
app.command()(generate)
app.add_typer(views_app)
app.add_typer(workers)
app.add_typer(queue)
app.add_typer(study)
app.add_typer(evaluation)
app.add_typer(datasets)


@app.command()
def up() -> None:
    """Start everything on this machine: database, Redis, API, worker and reaper."""
    run_up(read_settings())


@app.command()
def demo() -> None:
    """`up`, and a real self-distillation of a small model on generated worked examples."""
    run_demo(read_settings())


@app.command()
def api() -> None:
    """Start the API and the page."""
    settings = read_settings()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    serve(settings)


@app.command()
def worker(
    name: Annotated[
        str | None, typer.Option(help="Name. Default: UNISD_WORKER_NAME, else host and GPUs.")
    ] = None,
    labels: Annotated[
        str | None, typer.Option(help="Labels for runs to ask for, with commas: a100,site=berlin.")
    ] = None,
    queues: Annotated[
        str | None, typer.Option(help="Queues to serve, with commas. Default: gpu,interactive.")
    ] = None,
    gpus: Annotated[
        str | None, typer.Option(help="GPUs to use, with commas (CUDA_VISIBLE_DEVICES).")
    ] = None,
) -> None:
    """Start a worker; it executes one run at a time."""
    given = {
        "UNISD_WORKER_NAME": name,
        "UNISD_WORKER_LABELS": None if labels is None else json.dumps(labels.split(",")),
        "UNISD_WORKER_QUEUES": None if queues is None else json.dumps(queues.split(",")),
        "CUDA_VISIBLE_DEVICES": gpus,
    }
    os.environ.update({key: value for key, value in given.items() if value is not None})
    command = worker_command(read_settings())
    os.execv(command[0], command)  # noqa: S606 - our own command


@app.command()
def reaper() -> None:
    """Start the reaper, which takes runs back from lost workers."""
    read_settings()
    os.execv(REAPER_COMMAND[0], REAPER_COMMAND)  # noqa: S606 - a fixed command


@app.command()
def migrate() -> None:
    """Bring the database's schema up to date."""
    upgrade(read_settings().sqlalchemy_url)


@app.command()
def train(
    config: Annotated[Path, typer.Argument(help="Configuration, YAML or JSON.")],
    out: Annotated[Path, typer.Option(help="New folder for events, records and adapter.")],
    resume: Annotated[
        Path | None, typer.Option(help="Folder of an earlier attempt to go on from.")
    ] = None,
) -> None:
    """Train without any server."""
    _trainer(str(config), "--out", str(out), *(("--resume", str(resume)) if resume else ()))


@app.command()
def evaluate(
    config: Annotated[Path, typer.Argument(help="An evaluation's configuration, YAML or JSON.")],
    out: Annotated[Path, typer.Option(help="New folder for the event log.")],
    results: Annotated[
        Path | None, typer.Option(help="Folder of the results, to go on after a cut.")
    ] = None,
) -> None:
    """Answer and grade questions with any model or adapter, without any server."""
    more = ("--results", str(results)) if results else ()
    _trainer("evaluate", str(config), "--out", str(out), *more)


@app.command()
def check(
    config: Annotated[Path, typer.Argument(help="Configuration, YAML or JSON.")],
) -> None:
    """Check configuration, model, data and prompt lengths."""
    _trainer("check", str(config))


@app.command()
def estimate(
    config: Annotated[Path, typer.Argument(help="Configuration, YAML or JSON.")],
    device: Annotated[
        str | None, typer.Option(help="cpu, cuda or mps; else what this machine has.")
    ] = None,
) -> None:
    """Estimate the memory that a run will need."""
    _trainer("estimate", str(config), *(("--device", device) if device else ()))


@app.command()
def schema() -> None:
    """Print the JSON schema of run configurations."""
    typer.echo(json.dumps(RunConfig.model_json_schema(), indent=2, ensure_ascii=False))


@app.command()
def presets(
    name: Annotated[str | None, typer.Argument(help="Print this preset as YAML.")] = None,
) -> None:
    """List the presets, or print one as YAML to start a configuration from."""
    if name is None:
        width = max(map(len, PRESETS))
        for preset in PRESETS.values():
            typer.echo(f"{preset.name:<{width}}  {preset.summary}")
            typer.echo(f"{'':<{width}}  {preset.formula}")
        return
    try:
        settings = expand_preset({"preset": name})
    except StudioError as error:
        typer.echo(str(error.problem), err=True)
        raise typer.Exit(2) from None
    typer.echo(f"# {PRESETS[name].summary}\n# {PRESETS[name].formula}")
    typer.echo(
        yaml.dump(
            {"preset": name, **json.loads(json.dumps(settings))},
            sort_keys=False,
            allow_unicode=True,
        )
    )


def _trainer(*arguments: str) -> None:
    command = [sys.executable, "-m", "worker.trainer", *arguments]
    raise typer.Exit(subprocess.run(command, check=False).returncode)  # noqa: S603 - our own module


if __name__ == "__main__":
    app()
