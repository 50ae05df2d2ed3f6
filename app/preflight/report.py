"""Puts the preflight together. Slow for large files: no transaction is held meanwhile."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from statistics import fmean, median
from typing import Final, NamedTuple

import numpy as np
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.datasets.references import Resolver
from app.db import Database
from app.models import Worker
from app.models.base import database_epoch
from app.preflight import capacity, pace
from app.preflight.check import Findings
from app.preflight.made import Made, count
from app.preflight.measured import Measured, columns, measure
from app.preflight.prompts import PromptCounter, UnusableModelError, load_counter
from app.preflight.schemas import (
    DataReport,
    LongRecord,
    Making,
    ModelReport,
    Preflight,
    PromptReport,
    RenderedExample,
    Verdict,
    ViewLengths,
    WorkerFit,
)
from app.preflight.views import Contexts, contexts_of, render
from app.runs.schemas import RunCreate
from app.runs.service import check_resolved, configuration, known_project
from app.settings import Settings
from app.workers.service import status_of
from core.config import RunConfig
from core.errors import StudioError
from core.memory import ModelShape
from core.model_shape import context_length, model_shape
from core.models import find_local_model
from core.prompts import reference_completion
from core.record import Record
from core.steps import global_batch, total_steps
from core.views import Views, first_of_each, longest_view

_NAMED: Final = 5
_FITTED: Final = 200
"""Records for which auxiliary views are tried; the trainer tries all."""
_TIMED: Final = 8
_REFERENCES: Final = 200


class Model(NamedTuple):
    """The model as this machine has it."""

    folder: Path | None
    counter: PromptCounter | None
    shape: ModelShape | None
    problem: str | None

    @property
    def context(self) -> int | None:
        """Positions that the model knows."""
        return context_length(self.folder) if self.folder else None


class Training(NamedTuple):
    """Records that are left to train on."""

    records: list[Record]
    too_long: list[LongRecord]
    held_out: int


class RenderedViews(NamedTuple):
    """What the views of the run are like."""

    example: RenderedExample | None
    making: list[tuple[str, int, int, int]]
    without: int | None
    looked_at: int
    auxiliary: float


def preflight(database: Database, settings: Settings, wanted: RunCreate, record: int) -> Preflight:
    """Everything that can be known about a run before it starts.

    Args:
        database: read in short transactions.
        settings: of this process.
        wanted: the run.
        record: which of the training records to render.
    """
    with database.read() as session:
        config = configuration(session, wanted)
        resolver = Resolver(session, settings, known_project(session, wanted))
        findings = check_resolved(config, resolver, settings)
        try:
            config = resolver.resolve(config)
        except StudioError:
            config = config.model_copy()
    model = look_at_model(config, settings)
    measured, findings = read_measured(config, model, findings)
    training = left_to_train(config, measured)
    views = render_views(config, model, measured, training, record, settings)
    with database.read() as session:
        return _Report(session, settings, config, wanted).put_together(
            findings, model, measured, training, views
        )


def look_at_model(config: RunConfig, settings: Settings) -> Model:
    """The model of a configuration, as this machine has it."""
    folder = find_local_model(config.model.name, settings.home)
    if folder is None:
        return Model(None, None, None, "The model is not on this machine; a worker looks at it.")
    shape = model_shape(folder, config.model.lora.target_modules)
    try:
        counter = load_counter(folder)
    except UnusableModelError as error:
        return Model(folder, None, shape, f"The model cannot be used: {error}.")
    if counter is None:
        return Model(folder, None, shape, "It has no tokenizer.json; the trainer looks at it.")
    return Model(folder, counter, shape, None)


def read_measured(
    config: RunConfig, model: Model, findings: Findings
) -> tuple[Measured | None, Findings]:
    """The records with the lengths of their prompts; None where they cannot be read."""
    if config.data.dataset is not None:
        return None, findings  # it is not known, as the check says
    try:
        return measure(config, model.folder if model.counter else None), findings
    except (StudioError, UnusableModelError, OSError):
        return None, findings  # the check says it


def left_to_train(config: RunConfig, measured: Measured | None) -> Training:
    """As `worker.trainer.dataset` does it: what is too long goes, the last ones are held out."""
    if measured is None:
        return Training([], [], 0)
    limit = config.generation.max_prompt_length
    longest = [max(pair) for pair in zip(measured.student, measured.teacher, strict=True)]
    if not longest:
        fitting, too_long = list(measured.records), []
    else:
        pairs = list(zip(measured.records, longest, strict=True))
        fitting = [record for record, tokens in pairs if tokens <= limit]
        too_long = [
            LongRecord(line=record.line, tokens=tokens)
            for record, tokens in pairs
            if tokens > limit
        ]
    held_out = config.evaluation.examples
    if held_out >= len(fitting):
        return Training([], too_long, 0)
    return Training(fitting[: len(fitting) - held_out], too_long, held_out)


def render_views(
    config: RunConfig,
    model: Model,
    measured: Measured | None,
    training: Training,
    record: int,
    settings: Settings,
) -> RenderedViews:
    """One of the records that are left behind all of its views, and what these are made of."""
    if not training.records or model.counter is None or model.folder is None or measured is None:
        return RenderedViews(None, [], None, 0, 0.0)
    longest = longest_view(config, model.context)
    made = Made(config, model.folder, model.counter, training.records, longest, settings.home)
    making = list(_making(config, made, training.records))
    index = min(record, len(training.records) - 1)
    contexts = contexts_of(config, made, index, len(training.records), longest)
    try:
        example = render(
            config, model.counter, training.records, index, contexts, whole=measured.whole
        )
        without, looked_at, auxiliary = _fitting(config, model.counter, training.records, contexts)
    except UnusableModelError:
        return RenderedViews(None, making, None, 0, 0.0)  # the check says it
    if not auxiliary:
        auxiliary = float(sum(view.tokens for view in example.views if view.role == "auxiliary"))
    return RenderedViews(example, making, without, looked_at, auxiliary)


def _fitting(
    config: RunConfig, counter: PromptCounter, records: Sequence[Record], contexts: Contexts
) -> tuple[int | None, int, float]:
    """Records with too few auxiliary views, of how many, and the mean tokens of these views."""
    agreement = config.objective.agreement
    fixed = agreement.contexts == "retrieval" or not contexts.auxiliary_made
    if not agreement.enabled or fixed:
        return None, 0, 0.0
    looked_at = min(len(records), _FITTED)
    views = Views(counter, config, records, contexts.parts)
    without = sum(not views.fits(index) for index in range(looked_at))
    examples = [views.example(index, 0) for index in range(min(len(records), _TIMED))]
    tokens = fmean(sum(len(view.ids) for view in one.auxiliary) for one in examples)
    return without, looked_at, tokens


def _making(
    config: RunConfig, made: Made, records: Sequence[Record]
) -> Iterator[tuple[str, int, int, int]]:
    """Kind, total, present and looked at, of everything that is made before training."""
    objective = config.objective
    agreement = objective.agreement
    if objective.contrastive.enabled:
        each = objective.contrastive.negatives_per_record
        present, looked_at = count(len(records), made.has_negatives)
        yield "negatives", len(records) * each, present * each, looked_at * each
    if agreement.enabled and agreement.contexts == "induction":
        found = agreement.views if made.instructions() is not None else 0
        yield "instructions", agreement.views, found, agreement.views
    if agreement.enabled and agreement.contexts == "retrieval":
        rows = list(first_of_each(records).values())
        kept = made.embeddings()
        present, looked_at = (
            count(len(rows), lambda number: kept.has(records[rows[number]].prompt))
            if kept
            else (0, min(len(rows), 1))
        )
        yield "embeddings", len(rows), present, looked_at
    if objective.completions == "presampled":
        present, looked_at = count(len(records), made.has_completion)
        yield "completions", len(records), present, looked_at


class _Report:
    """Adds what the database knows: workers and earlier runs."""

    def __init__(
        self, session: Session, settings: Settings, config: RunConfig, wanted: RunCreate
    ) -> None:
        self._session = session
        self._settings = settings
        self._config = config
        self._schedule = wanted.schedule
        self._runs = pace.recent_runs(session, config)

    def put_together(
        self,
        findings: Findings,
        model: Model,
        measured: Measured | None,
        training: Training,
        views: RenderedViews,
    ) -> Preflight:
        config = self._config
        devices = config.training.devices
        records = len(training.records)
        known = measured is not None and records > 0
        exact = known and (measured is not None and measured.whole)
        steps = (
            total_steps(config.training, records, devices)
            if exact or config.training.max_steps is not None
            else None
        )
        work = _work(config, measured, training, views) if known else None
        return Preflight(
            errors=findings.errors,
            warnings=findings.warnings,
            data=_data(config, measured, training) if measured else None,
            prompts=_prompts(config, model, measured, training, views) if measured else None,
            model=_model_report(config, model),
            example=views.example,
            making=[self._made(*entry) for entry in views.making],
            steps=steps,
            sequences=global_batch(config.training) * devices,
            disk=capacity.disk_need(config, model.shape),
            workers=self._workers(model.shape, work, steps),
        )

    def _made(self, kind: str, total: int, present: int, looked_at: int) -> Making:
        share = present / looked_at if looked_at else 0.0
        missing = total * (1 - share)
        seconds, basis = None, "No earlier run with this model has made any."
        if missing < 1:
            seconds, basis = 0.0, "All are in this machine's cache."
        elif rate := pace.making_rate(self._session, self._runs, kind):
            seconds, basis = missing / rate[0], f"As fast as in “{rate[1]}”."
        return Making.model_validate(
            {
                "kind": kind,
                "total": total,
                "present": present,
                "looked_at": looked_at,
                "seconds": seconds,
                "basis": basis,
            }
        )

    def _workers(
        self, shape: ModelShape | None, work: pace.Work | None, steps: int | None
    ) -> list[WorkerFit]:
        paces = pace.paces(self._session, self._runs)
        now = float(self._session.execute(select(database_epoch())).scalar_one())
        found = self._session.scalars(
            select(Worker).where(Worker.gone.is_(False)).order_by(Worker.name, Worker.id)
        )
        need = capacity.disk_need(self._config, shape)
        fits = []
        for worker in found:
            status = status_of(worker, now, self._settings)
            if status == "lost":
                continue
            one = capacity.fit(worker, status, self._config, self._schedule, shape)
            timed = _timed(one, paces.get(worker.id), work, steps)
            disk = _disk(timed.disk_free, need.total if need else None, self._settings)
            fits.append(timed.model_copy(update={"disk_verdict": disk}))
        return fits


def _timed(
    one: WorkerFit, known: pace.Pace | None, work: pace.Work | None, steps: int | None
) -> WorkerFit:
    if one.verdict == "will_not":
        return one
    if known is None:
        note = "Not known yet: no run with this model has measured its steps here."
        return one.model_copy(update={"time_note": note})
    each = pace.step_seconds(known, work) if work else None
    if each is None:
        note = "Not known yet: earlier runs here did not measure all that this one does."
        return one.model_copy(update={"time_note": note, "measured_runs": known.runs})
    runs = "1 earlier run" if known.runs == 1 else f"{known.runs} earlier runs"
    return one.model_copy(
        update={
            "seconds": each * steps if steps is not None else None,
            "seconds_per_step": each,
            "measured_runs": known.runs,
            "time_note": f"From {runs} with this model here; evaluation comes on top.",
        }
    )


def _disk(free: int | None, need: int | None, settings: Settings) -> Verdict:
    if free is None or need is None:
        return "unknown"
    if need > free:
        return "will_not"
    return "tight" if need + settings.disk_reserve_bytes > free else "fits"


def _work(
    config: RunConfig, measured: Measured | None, training: Training, views: RenderedViews
) -> pace.Work | None:
    if measured is None or not measured.student:
        return None
    objective = config.objective
    teacher = fmean(measured.teacher)
    teachers = 0
    tokens = 0.0
    if objective.needs_teacher:
        agreement, contrastive = objective.agreement.enabled, objective.contrastive.enabled
        teachers = 1 + (objective.agreement.views if agreement else 0) + contrastive
        tokens = teacher * (1 + contrastive) + (views.auxiliary if agreement else 0.0)
    shares = {"rollout": 1.0, "mixed": objective.on_policy_share}
    return pace.Work(
        sequences=global_batch(config.training),
        prompts=fmean(measured.student),
        views=tokens,
        teachers=teachers,
        sampled=shares.get(objective.completions, 0.0),
        longest=config.generation.max_completion_length,
        reference=_reference_length(config, training)
        if objective.completions in ("reference", "mixed")
        else None,
    )


def _reference_length(config: RunConfig, training: Training) -> float:
    """Mean characters of the data's answers by four: near enough to tell a time."""
    some = training.records[:_REFERENCES]
    texts = [reference_completion(one, answer_first=config.data.answer_first) for one in some]
    return fmean(len(text) for text in texts) / 4


def _data(config: RunConfig, measured: Measured, training: Training) -> DataReport:
    rows, found = columns(config, measured.file)
    return DataReport(
        layout=config.data.layout,
        file=measured.file.name,
        bytes=measured.size,
        rows_looked_at=rows,
        columns=found,
        records=len(measured.records),
        whole=measured.whole,
        tasks=dict(Counter(record.task for record in measured.records)),
        skipped=measured.skipped,
        train=len(training.records),
        held_out=training.held_out,
    )


def _prompts(
    config: RunConfig, model: Model, measured: Measured, training: Training, views: RenderedViews
) -> PromptReport | None:
    if not measured.student:
        return None
    return PromptReport(
        counted=len(measured.student),
        limit=config.generation.max_prompt_length,
        context=model.context,
        too_long=len(training.too_long),
        longest=sorted(training.too_long, key=lambda one: -one.tokens)[:_NAMED],
        without_views=views.without,
        views_looked_at=views.looked_at,
        lengths=[
            ViewLengths(
                view=name,
                median=float(median(lengths)),
                p95=float(np.quantile(lengths, 0.95)),
                maximum=max(lengths),
            )
            for name, lengths in (("student", measured.student), ("primary", measured.teacher))
        ],
    )


def _model_report(config: RunConfig, model: Model) -> ModelReport:
    shape, counter = model.shape, model.counter
    return ModelReport(
        name=config.model.name,
        folder=str(model.folder) if model.folder else None,
        parameters=shape.parameters if shape else None,
        trained=shape.trained(config.model.lora.rank) if shape else None,
        vocabulary=counter.tokenizer.get_vocab_size() if counter else None,
        tokenizer=counter is not None,
        special_tokens=dict(counter.special_tokens) if counter else {},
        problem=model.problem,
    )
