"""Makes a worker's job of what a person asks for: which folders, which prompts, one base model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any, Final

from sqlalchemy.orm import Session

from app.db import Database
from app.evaluations.service import get_examples
from app.exports.service import get_source
from app.generations import examples
from app.generations.schemas import ColumnWanted, GenerationCreate
from app.models import Run
from app.runs.service import get_run
from app.runs.weights import checkpoint_folder, checkpoints, find_adapter
from app.settings import Settings
from core.config import ModelConfig, RunConfig
from core.errors import Problem, StudioError
from core.generation_job import ChatMessage, GenerationJob, JobColumn, Sampled
from core.generation_job import Weights as JobWeights
from core.prompts import Message, taught_messages
from core.record import Record

TITLE: Final = 300


@dataclass
class Prepared:
    """A comparison that can be stored."""

    job: GenerationJob
    columns: list[dict[str, Any]]
    labels: list[str]
    title: str


@dataclass
class _Column:
    """What SQL knows of a wanted column."""

    wanted: ColumnWanted
    run: Run | None
    config: RunConfig | None
    folder: str | None
    checkpoint: int | None


def prepare(database: Database, settings: Settings, wanted: GenerationCreate) -> Prepared:
    """Look everything up, in short transactions: reading a large data file takes a while.

    Raises:
        NotFoundError: a run or an evaluation is not there.
        ConflictError: a run has no such weights.
        StudioError: what cannot be compared, with its field.
        UnavailableError: the store does not answer.
    """
    with database.read() as session:
        columns = [
            _look_up(session, settings, one, number) for number, one in enumerate(wanted.columns)
        ]
        model = _one_model(wanted, columns)
        asked = _asked(wanted)
        question = _question(session, settings, wanted)
    if wanted.record is not None:
        title, prompts = _of_record(database, settings, wanted, columns)
    elif question is not None:
        title = question
        prompts = [{"text": question} for _ in columns]
    else:
        title = asked
        prompts = [_messages(wanted, one, place) for place, one in enumerate(columns)]
    job = GenerationJob(
        model=model,
        columns=tuple(
            JobColumn(weights=_weights(one), adapter=one.folder, **prompt)
            for one, prompt in zip(columns, prompts, strict=True)
        ),
        sampled=Sampled(**{name: getattr(wanted, name) for name in Sampled.model_fields}),
    )
    return Prepared(
        job,
        [_shown(one, model) for one in columns],
        sorted({label for one in columns if one.run for label in one.run.labels}),
        title[:TITLE],
    )


def _asked(wanted: GenerationCreate) -> str:
    given = [wanted.prompt, wanted.record, wanted.question]
    if sum(one is not None for one in given) != 1:
        raise _mistake(
            "prompt_missing",
            "A comparison asks one thing: a prompt, a training record or an evaluation's question.",
            "Give exactly one of prompt, record and question.",
            "prompt",
        )
    return wanted.prompt or ""


def _look_up(session: Session, settings: Settings, wanted: ColumnWanted, place: int) -> _Column:
    if wanted.run_id is None:
        if wanted.weights != "base" or wanted.view != "student" or wanted.checkpoint is not None:
            raise _mistake(
                "run_missing",
                "Adapters, checkpoints and teacher views belong to a run.",
                "Name the column's run.",
                f"columns.{place}.run_id",
            )
        return _Column(wanted, None, None, None, None)
    run = get_source(session, wanted.run_id)
    config = RunConfig.model_validate(run.config)
    if wanted.weights == "base":
        return _Column(wanted, run, config, None, None)
    if wanted.weights == "ema_adapter" and config.teacher.weights != "ema":
        raise _mistake(
            "no_ema_teacher",
            f"“{run.name}” keeps no moving average of its weights.",
            "Choose its adapter, or a run with the EMA teacher.",
            f"columns.{place}.weights",
        )
    folder, checkpoint = _folder(session, settings, run, wanted, place)
    return _Column(wanted, run, config, folder, checkpoint)


def _folder(
    session: Session, settings: Settings, run: Run, wanted: ColumnWanted, place: int
) -> tuple[str, int | None]:
    """Folder of a column's weights, and the checkpoint's step if it is one."""
    if wanted.checkpoint is not None:
        return checkpoint_folder(session, run, wanted.checkpoint, settings), wanted.checkpoint
    found = find_adapter(session, run.id, wanted.weights)
    if found is not None:
        return found, None
    kept = checkpoints(session, run.id, settings)
    if not kept:
        raise _mistake(
            "no_weights_yet",
            f"“{run.name}” has written neither adapter nor checkpoint yet.",
            "Wait for its first checkpoint, or for its end.",
            f"columns.{place}.run_id",
        )
    return kept[max(kept)], max(kept)


def _one_model(wanted: GenerationCreate, columns: Sequence[_Column]) -> ModelConfig:
    """The base of all columns.

    Raises:
        StudioError: `models_differ`.
    """
    named = [(one, one.config.model) for one in columns if one.config is not None]
    if wanted.model is not None and not named:
        return ModelConfig(name=wanted.model)
    if not named:
        return ModelConfig()
    first, model = named[0]
    for other, its in named[1:]:
        if _base(its) != _base(model):
            assert first.run is not None and other.run is not None  # noqa: S101, PT018
            raise _mistake(
                "models_differ",
                f"One comparison has one base model: “{first.run.name}” is on {_words(model)}, "
                f"“{other.run.name}” on {_words(its)}.",
                "Compare runs on the same base model.",
                "columns",
            )
    if wanted.model is not None and wanted.model != model.name:
        raise _mistake(
            "models_differ",
            f"The runs are on {model.name}, not on {wanted.model}.",
            "Leave `model` out: the base is that of the runs.",
            "model",
        )
    return model


def _base(model: ModelConfig) -> dict[str, Any]:
    return model.model_dump(exclude={"lora"})


def _words(model: ModelConfig) -> str:
    told = (model.quantization, model.revision, model.dtype)
    more = [one for one in told if one not in {"none", None, "auto"}]
    return f"{model.name} ({', '.join(map(str, more))})" if more else model.name


def _weights(column: _Column) -> JobWeights:
    if column.folder is None:
        return "base"
    return "ema" if column.wanted.weights == "ema_adapter" else "student"


def _question(session: Session, settings: Settings, wanted: GenerationCreate) -> str | None:
    """An evaluation's prompt, written by the template there."""
    if wanted.question is None:
        return None
    place = next((n for n, one in enumerate(wanted.columns) if one.view != "student"), None)
    if place is not None:
        raise _mistake(
            "view_needs_record",
            "An evaluation's question has no teacher views: it is asked as it was there.",
            "Choose the plain prompt for every column, or a training record.",
            f"columns.{place}.view",
        )
    asked = wanted.question
    found = get_examples(session, settings, get_run(session, asked.run_id).id, asked.cursor)
    prompt = next((one.prompt for one in found if one.index == asked.index), None)
    if prompt is None:
        raise _mistake(
            "question_unknown",
            f"The evaluation has no question {asked.index}.",
            "Open it from the run's evaluations.",
            "question.index",
        )
    return prompt


def _messages(wanted: GenerationCreate, column: _Column, place: int) -> dict[str, Any]:
    """A typed prompt, as the column's view asks it."""
    prompt = wanted.prompt or ""
    view = column.wanted.view
    record = Record(id="prompt", line=1, prompt=prompt, answer="-")
    if view == "student" or column.config is None:
        said = [Message(role="user", content=prompt)]
        if wanted.system_prompt:
            said.insert(0, Message(role="system", content=wanted.system_prompt))
    elif view != "primary":
        raise _mistake(
            "view_needs_record",
            f"The {view} teacher's prompt is made of the run's data.",
            "Choose one of the run's training records in place of a typed prompt.",
            f"columns.{place}.view",
        )
    elif not wanted.demonstration:
        raise _mistake(
            "demonstration_missing",
            "The primary teacher sees a worked example beside the prompt.",
            "Write the demonstration, or choose one of the run's training records.",
            "demonstration",
        )
    else:
        data = column.config.data.model_copy(update={"system_prompt": wanted.system_prompt})
        config = column.config.model_copy(update={"data": data})
        template = config.teacher.template
        said = taught_messages(record, template, wanted.demonstration, config)
    return {"messages": tuple(ChatMessage.model_validate(one) for one in said)}


def _of_record(
    database: Database, settings: Settings, wanted: GenerationCreate, columns: Sequence[_Column]
) -> tuple[str, list[dict[str, Any]]]:
    """A training record, as each column's view asks it; the question is its first line."""
    assert wanted.record is not None  # noqa: S101 - for the type checker
    of, index = wanted.record.run_id, wanted.record.index
    with database.read() as session:
        configs = {of: examples.resolved(session, settings, of)}
        for column in columns:
            if column.run is not None and column.wanted.view != "student":
                configs[column.run.id] = examples.resolved(session, settings, column.run.id)
    own = examples.show(configs[of], settings, index)
    prompts = []
    for place, column in enumerate(columns):
        view = column.wanted.view
        shown = own
        if column.run is not None and view != "student" and column.run.id != of:
            if configs[column.run.id].data != configs[of].data:
                raise _mistake(
                    "view_needs_own_record",
                    f"“{column.run.name}” has other data: its teachers have no such record.",
                    "Choose a record of that run, or the plain prompt for this column.",
                    f"columns.{place}.view",
                )
            shown = examples.show(configs[column.run.id], settings, index)
        prompts.append({"text": _view_text(shown, column, place)})
    return own.record.prompt, prompts


def _view_text(shown: examples.Shown, column: _Column, place: int) -> str:
    wanted = column.wanted
    # The plain prompt is the same for all columns: that of the run whose record it is.
    number = wanted.view_number if wanted.view == "auxiliary" else 1
    for view in shown.rendered.views:
        if (view.role, view.number) == (wanted.view, number):
            if view.made:
                return view.text
            break
    raise _mistake(
        "view_unknown",
        f"The run has no such {wanted.view} teacher for this record, or what it shows is not made "
        "on this machine yet.",
        "Choose another view.",
        f"columns.{place}.view",
    )


def _shown(column: _Column, model: ModelConfig) -> dict[str, Any]:
    wanted, run = column.wanted, column.run
    number = wanted.view_number if wanted.view == "auxiliary" else None
    is_base = column.folder is None
    of = f"base {model.name}" if run is None or is_base else f"run {run.id}"
    step = column.checkpoint
    parts = [of, wanted.weights, "" if step is None else str(step), wanted.view, str(number or "")]
    if wanted.view != "student" and run is not None:
        parts.append(run.id)
    return {
        "key": " ".join(part for part in parts if part),
        "label": _label(column, model),
        "run_id": None if run is None else run.id,
        "run_name": None if run is None else run.name,
        "weights": wanted.weights,
        "checkpoint": step,
        "view": wanted.view,
        "view_number": number,
    }


def _label(column: _Column, model: ModelConfig) -> str:
    wanted = column.wanted
    if column.folder is None or column.run is None:
        words = [f"Base {PurePath(model.name).name}"]
    else:
        words = [column.run.name]
        if wanted.weights == "ema_adapter":
            words.append("EMA teacher")
        if column.checkpoint is not None:
            words.append(f"step {column.checkpoint}")
    if wanted.view == "auxiliary":
        words.append(f"auxiliary view {wanted.view_number}")
    elif wanted.view != "student":
        words.append(f"{wanted.view} view")
    return " · ".join(words)


def _mistake(code: str, message: str, remedy: str, field: str) -> StudioError:
    return StudioError(Problem(code=code, message=message, remedy=remedy, field=field))
