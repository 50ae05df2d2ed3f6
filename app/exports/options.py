"""What can be exported of a run, how large it will be, and what the model card will tell."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.evaluations.service import list_evaluations
from app.exports.schemas import CheckpointOption, ExportOptions, KindOption
from app.metrics import repository as metrics
from app.models import Artifact, Run, Trajectory, Worker
from app.runs import lifecycle
from app.runs.repository import find_attempt
from app.runs.weights import checkpoints, find_adapter
from app.settings import Settings
from core.config import ModelConfig, RunConfig
from core.export_job import CardFacts, ExportKind
from core.gguf import HOW_TO_GET, REPORTED_AS
from core.models import find_local_model

PROMPT: Final = "Explain in two sentences why the sky is blue."
_ADAPTERS: Final = {ExportKind.ADAPTER: "adapter", ExportKind.EMA_ADAPTER: "ema_adapter"}
_PER_WEIGHT: Final = {"f32": 4.0, "f16": 2.0, "bf16": 2.0, "q8_0": 1.0625}
_WIDTHS: Final = {"float32": 4, "float16": 2, "bfloat16": 2}
_FIGURES: Final = ("accuracy", "extracted")
_MOST_METRICS: Final = 40
_LONGEST_PROMPT: Final = 20_000


def options(session: Session, run: Run, settings: Settings) -> ExportOptions:
    """Everything that a person needs to know before."""
    config = RunConfig.model_validate(run.config)
    steps = checkpoints(session, run.id, settings)
    has_adapter = find_adapter(session, run.id, "adapter") is not None
    workers = connected(session, settings)
    return ExportOptions(
        has_adapter=has_adapter,
        has_ema=config.teacher.weights == "ema",
        checkpoints=[CheckpointOption(step=step) for step in sorted(steps, reverse=True)],
        kinds=[
            _kind(session, run, settings, kind, weights=bool(steps) or has_adapter)
            for kind in ExportKind
        ],
        prompt=prompt_of(session, run.id),
        disk_free=max((int(one.usage.get("disk_free", 0)) for one in workers), default=None),
    )


def _kind(
    session: Session, run: Run, settings: Settings, kind: ExportKind, *, weights: bool
) -> KindOption:
    reason, remedy = "", ""
    config = RunConfig.model_validate(run.config)
    if not weights:
        reason = "The run has written neither adapter nor checkpoint yet."
        remedy = "Wait for its first checkpoint, or for its end."
    elif kind is ExportKind.EMA_ADAPTER and config.teacher.weights != "ema":
        reason, remedy = "The run keeps no moving average.", "Its teacher has other weights."
    elif kind is ExportKind.GGUF and not can_convert(session, settings):
        reason, remedy = "No connected worker has a converter to GGUF.", HOW_TO_GET
    content = "adapter" if kind is ExportKind.HUB else kind.value
    size = estimate(session, run, settings, content, "f16")
    return KindOption(
        kind=kind.value, available=not reason, reason=reason, remedy=remedy, estimate_bytes=size
    )


def connected(session: Session, settings: Settings) -> list[Worker]:
    """Workers that were heard of lately."""
    since = lifecycle.now(session).timestamp() - settings.stale_seconds
    statement = select(Worker).where(Worker.gone.is_(False), Worker.last_seen > since)
    return list(session.scalars(statement))


def can_convert(session: Session, settings: Settings) -> bool:
    """Whether a connected worker has a converter to GGUF."""
    return any(REPORTED_AS in worker.versions for worker in connected(session, settings))


def estimate(
    session: Session, run: Run, settings: Settings, content: str, gguf_type: str
) -> int | None:
    """Bytes that an export will have; None where this host cannot tell."""
    if content in {"adapter", "ema_adapter"}:
        return _adapter_bytes(session, run.id)
    model = ModelConfig.model_validate(run.config["model"])
    folder = find_local_model(model.name, settings.home)
    size = None if folder is None else _weights_bytes(folder)
    if size is None or folder is None or content == "merged":
        return size
    width = _WIDTHS.get(_stored(folder), 0)
    return int(size / width * _PER_WEIGHT[gguf_type]) if width else None


def _adapter_bytes(session: Session, run_id: str) -> int | None:
    """Student and EMA adapter have the same shape."""
    statement = select(Artifact.bytes).where(
        Artifact.run_id == run_id, Artifact.kind.in_(_ADAPTERS.values())
    )
    return session.scalars(statement.order_by(Artifact.id.desc()).limit(1)).one_or_none()


def _weights_bytes(folder: Path) -> int | None:
    try:
        sizes = [file.stat().st_size for file in folder.glob("*.safetensors")]
    except OSError:
        return None
    return sum(sizes) or None


def _stored(folder: Path) -> str:
    try:
        found: dict[str, Any] = json.loads((folder / "config.json").read_bytes())
    except (OSError, ValueError):
        return ""
    return str(found.get("dtype") or found.get("torch_dtype") or "")


def prompt_of(session: Session, run_id: str) -> str:
    """A prompt that the run itself has seen, a pinned one if there is one."""
    statement = select(Trajectory.prompt).where(Trajectory.run_id == run_id)
    order = (Trajectory.pinned.desc(), Trajectory.step, Trajectory.id)
    found = session.scalars(statement.order_by(*order).limit(1)).one_or_none()
    return found if found and found.strip() and len(found) <= _LONGEST_PROMPT else PROMPT


def card_facts(session: Session, run: Run, checkpoint: int | None) -> CardFacts:
    """What the model card tells, as it was when the weights were written."""
    attempt = find_attempt(session, run.id, None)
    found: dict[str, float] = {}
    last = None
    if attempt is not None:
        named = [
            name
            for name in metrics.names(session, attempt.id)
            if name == "train/loss" or name.startswith("eval/")
        ][:_MOST_METRICS]
        for name, points in metrics.series(session, attempt.id, named, to_step=checkpoint):
            if named and math.isfinite(points.values[-1]):
                found[name] = float(points.values[-1])
            last = max(last or 0, int(points.steps[-1]))
    return CardFacts(
        run=run.name,
        step=last if checkpoint is None else checkpoint,
        data_sha256=(run.dataset or {}).get("sha256"),
        metrics=found,
        evaluations=_evaluations(session, run.id, checkpoint),
        versions=(run.started_on or {}).get("versions", {}),
    )


def _evaluations(
    session: Session, run_id: str, checkpoint: int | None
) -> dict[str, dict[str, float]]:
    found: dict[str, dict[str, float]] = {}
    for one in list_evaluations(session, run_id):
        if checkpoint is None or one.step <= checkpoint:
            figures = {name: one.summary.get(name) for name in _FIGURES}
            found[one.set] = {
                name: float(value)
                for name, value in figures.items()
                if isinstance(value, int | float) and math.isfinite(value)
            }
    return found
