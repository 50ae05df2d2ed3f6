"""Runs as tables and lines for people at a terminal."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence

from app.runs.schemas import RunDetail, RunRow, RunSummary
from cli.telling import ago, number, say, say_facts, say_table
from core.config_text import yaml_text
from core.words import duration

_LISTED = 5


def say_runs(runs: Iterable[RunRow], metrics: Sequence[str], params: Sequence[str]) -> None:
    """A line for each run."""
    heads = ["id", "status", "progress", "loss", "worker", "created", *metrics, *params, "name"]
    say_table(
        heads,
        [
            [
                run.id,
                run.status.value,
                progress(run),
                number(run.last_loss),
                run.worker,
                ago(run.created_at),
                *(_metric(run, name) for name in metrics),
                *(_param(run, path) for path in params),
                run.name,
            ]
            for run in runs
        ],
    )


def say_run(run: RunDetail) -> None:
    """Everything that one wants to know first, and the configuration."""
    say_facts(
        [
            ("run", run.id),
            ("name", run.name),
            ("status", _status(run)),
            ("problem", run.problem),
            ("progress", progress(run)),
            ("left", _left(run)),
            ("loss", None if run.last_loss is None else number(run.last_loss)),
            ("waits for", "; ".join(run.waiting.reasons) if run.waiting else None),
            ("attempt", f"{run.attempt} of {run.max_attempts}" if run.attempt else None),
            ("worker", run.worker),
            ("device", run.device),
            ("queue", f"{run.queue.value}, priority {run.priority}"),
            ("labels", ", ".join(run.labels)),
            ("created", ago(run.created_at)),
            ("took", duration(run.duration_seconds) if run.duration_seconds else None),
            ("metrics", ", ".join(run.metric_names)),
        ]
    )
    for alarm in run.alarms[:_LISTED]:
        say(f"{alarm.severity} at step {alarm.step}: {alarm.message} {alarm.remedy}".rstrip())
    if run.alarm_count > _LISTED:
        say(f"… {run.alarm_count} alarms in all")
    for artifact in run.artifacts:
        say(f"{artifact.kind} of attempt {artifact.attempt}: {artifact.bytes:,} bytes")
    say("---")
    plain = json.loads(run.config.model_dump_json())
    say(yaml_text(plain).rstrip())


def progress(run: RunSummary) -> str:
    """Steps done of those planned."""
    total = run.progress.total_steps
    if total is None:
        return "–" if not run.progress.step else f"{run.progress.step:,}"
    return f"{run.progress.step:,}/{total:,}"


def _status(run: RunSummary) -> str:
    phase = " ".join(filter(None, (run.phase, run.phase_detail)))
    return f"{run.status}, {phase}" if phase else run.status.value


def _left(run: RunSummary) -> str | None:
    eta = run.progress.eta_seconds
    return None if eta is None else f"about {duration(eta)}"


def _metric(run: RunRow, name: str) -> str:
    found = run.metrics.get(name)
    if found is None:
        return "–"
    return found.non_finite or number(found.last)


def _param(run: RunRow, path: str) -> str:
    if path not in run.params:
        return "–"
    value = run.params[path]
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
