"""Makes a run's bundle of what the database knows about it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Final

import numpy as np
from sqlalchemy.orm import Session

from app.datasets.references import Resolver
from app.evaluations.service import list_evaluations
from app.metrics import repository as metrics
from app.models import Run
from app.runs import lifecycle
from app.runs.repository import artifacts, find_attempt
from app.settings import Settings
from core.bundle import (
    FORMAT,
    Bundle,
    BundleData,
    BundleEnvironment,
    BundleEvaluation,
    BundleFiles,
    BundleMetric,
    BundleResults,
)
from core.config import RunConfig
from core.data_config import DataFields
from core.errors import StudioError

_MOST_LOSSES: Final = 2000
_LOSS: Final = "train/loss"
_STUDIO: Final = "unisd-studio"


def make_bundle(session: Session, run: Run, settings: Settings) -> Bundle:
    """Everything that somebody needs to do the same run again and to see whether it is the same."""
    config = RunConfig.model_validate(run.config)
    started = run.started_on or {}
    environment: dict[str, Any] = started.get("environment", {})
    return Bundle(
        format=FORMAT,
        version=1,
        made_at=lifecycle.now(session).isoformat(timespec="seconds"),
        run_id=run.id,
        name=run.name,
        config=config,
        seeds={"training.seed": config.training.seed},
        data=_data(session, run, config, settings),
        environment=BundleEnvironment(
            studio=_packages(environment).get(_STUDIO),
            device=started.get("device"),
            dtype=started.get("dtype"),
            versions=started.get("versions", {}),
            details=environment,
        ),
        results=_results(session, run),
    )


def _packages(environment: Mapping[str, Any]) -> dict[str, str]:
    packages: dict[str, str] = environment.get("packages", {})
    return packages


def _data(session: Session, run: Run, config: RunConfig, settings: Settings) -> BundleData:
    read = run.dataset or {}
    return BundleData(
        name=config.data.short_name,
        sha256=read.get("sha256") or None,
        records=read.get("records"),
        train=read.get("train"),
        held_out=read.get("held_out"),
        fields=_fields(session, run, config, settings),
    )


def _fields(session: Session, run: Run, config: RunConfig, settings: Settings) -> DataFields | None:
    """The mapping of the uploaded data set; None where the configuration has its own."""
    if config.data.dataset is None:
        return None
    try:
        resolver = Resolver(session, settings, run.project_id, bring=False)
        return resolver.resolve(config).data.fields
    except StudioError:  # it was deleted since
        return None


def _results(session: Session, run: Run) -> BundleResults:
    attempt = find_attempt(session, run.id, None)
    names = metrics.names(session, attempt.id) if attempt else []
    newest = metrics.newest(session, [run.id], metrics.name_ids(session, names)).get(run.id, {})
    return BundleResults(
        status=run.status.value,
        steps=run.step or None,
        losses=_losses(session, attempt.id) if attempt else {},
        metrics={
            name: BundleMetric(last=one["last"], min=one["min"], max=one["max"])
            for name, one in newest.items()
        },
        evaluations=[
            BundleEvaluation(set=one.set, step=one.step, summary=dict(one.summary))
            for one in list_evaluations(session, run.id)
        ],
        files=[
            BundleFiles(kind=one.kind, bytes=one.bytes, sha256=one.sha256)
            for one in artifacts(session, run.id)
        ],
    )


def _losses(session: Session, attempt_id: int) -> dict[int, float]:
    """Every n-th loss, so that a long run's file stays small; the last one is among them."""
    for _, points in metrics.series(session, attempt_id, [_LOSS]):
        stride = max(1, math.ceil(len(points.steps) / _MOST_LOSSES))
        kept = np.unique(np.append(np.arange(0, len(points.steps), stride), len(points.steps) - 1))
        pairs = zip(points.steps[kept].tolist(), points.values[kept].tolist(), strict=True)
        return {int(step): value for step, value in pairs if math.isfinite(value)}
    return {}
