"""Training records behind a run's views, as the preflight renders them."""

from __future__ import annotations

from typing import NamedTuple

from sqlalchemy.orm import Session

from app.datasets.references import Resolver
from app.exports.service import get_source
from app.preflight.check import Findings
from app.preflight.prompts import PromptCounter
from app.preflight.report import left_to_train, look_at_model, read_measured, render_views
from app.preflight.schemas import RenderedExample
from app.settings import Settings
from core.config import RunConfig
from core.errors import Problem, StudioError
from core.record import Record


class Shown(NamedTuple):
    """A record, and what it looks like behind each view."""

    record: Record
    rendered: RenderedExample
    counter: PromptCounter


def resolved(session: Session, settings: Settings, run_id: str) -> RunConfig:
    """A run's configuration with a file in place of a data set.

    Raises:
        NotFoundError: there is no such run.
        ConflictError: it trains nothing.
        StudioError: its data set is gone.
    """
    run = get_source(session, run_id)
    config = RunConfig.model_validate(run.config)
    return Resolver(session, settings, run.project_id).resolve(config)


def show(config: RunConfig, settings: Settings, index: int) -> Shown:
    """One of the records that a run trains on, behind its views. Slow for large files.

    Raises:
        StudioError: `record_unavailable`.
    """
    model = look_at_model(config, settings)
    if model.counter is None:
        raise _unavailable(model.problem or "The model has no tokenizer here.")
    measured, _ = read_measured(config, model, Findings([], []))
    training = left_to_train(config, measured)
    if not training.records:
        raise _unavailable("Its data cannot be read here, or no record is left to train on.")
    if index >= len(training.records):
        raise _unavailable(f"It trains on {len(training.records)} records, counted from 0.")
    views = render_views(config, model, measured, training, index, settings)
    if views.example is None:
        raise _unavailable("The chat template refuses it.")
    return Shown(training.records[index], views.example, model.counter)


def _unavailable(reason: str) -> StudioError:
    return StudioError(
        Problem(
            code="record_unavailable",
            message=f"The record cannot be shown here. {reason}",
            remedy="Choose another record, or type its prompt.",
            field="record",
        )
    )
