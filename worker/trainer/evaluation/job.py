"""An evaluation from its configuration to its results. Importing this module imports torch."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from pydantic import ValidationError
from transformers.utils import logging as transformers_logging

from core.config_text import yaml_text
from core.errors import StudioError
from core.evaluation_job import EvaluationJob
from core.validation import validation_problems
from worker.trainer import device as devices
from worker.trainer.adapter import load_adapter, made_for_another, shape_of
from worker.trainer.chat import load_tokenizer
from worker.trainer.configuration import read_yaml
from worker.trainer.environment import report_start
from worker.trainer.evaluation.answers import Writer
from worker.trainer.evaluation.evaluator import Evaluator
from worker.trainer.evaluation.questions import load_questions
from worker.trainer.event_log import EventLog
from worker.trainer.files import write_atomically
from worker.trainer.interrupt import Interrupt
from worker.trainer.model import context_length, load_model_config, load_network, out_of_memory

CONFIG_FILE = "evaluation.yaml"


def load_job(path: Path) -> EvaluationJob:
    """Read and validate an evaluation's configuration.

    Raises:
        StudioError: `config_unreadable`, or `config_invalid` with one problem per mistake.
    """
    raw = read_yaml(path, "Start with `sets:`, and below it a list with `name:` and `benchmark:`.")
    try:
        return EvaluationJob.model_validate(raw)
    except ValidationError as error:
        problems = validation_problems(error.errors(include_url=False), model=EvaluationJob)
        raise StudioError(*problems) from None


def execute_job(
    job: EvaluationJob,
    log: EventLog,
    interrupt: Interrupt,
    results: Path,
    *,
    replace: bool = False,
) -> list[dict[str, Any]]:
    """Evaluate as configured.

    Args:
        job: what.
        log: tells progress and, for each set, its summary.
        interrupt: looked at between batches.
        results: folder for what is kept of every example; what is there of the same evaluation is
            gone on with.
        replace: set results of another evaluation (of other versions, say) aside instead of
            refusing them.

    Returns:
        The summary of each set.

    Raises:
        StudioError: what went wrong, and how to mend it.
        StopRequested: a stop was asked for.
    """
    transformers_logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    device = devices.choose_device(job.device)
    dtype = devices.choose_dtype(job.model.dtype, device)
    report_start(log, devices.describe(device), dtype, job.seed)
    _freeze(job, log)
    try:
        return _evaluate(job, log, interrupt, (results, replace), (device, dtype))
    except (torch.OutOfMemoryError, MemoryError) as error:
        raise out_of_memory("evaluating; a smaller sets.batch_size needs less") from error


def _evaluate(
    job: EvaluationJob,
    log: EventLog,
    interrupt: Interrupt,
    into: tuple[Path, bool],
    on: tuple[torch.device, torch.dtype],
) -> list[dict[str, Any]]:
    log.phase("preparing", "Reading the questions")
    tokenizer = load_tokenizer(job.model)
    context = context_length(load_model_config(job.model))
    sets = [load_questions(one, tokenizer, job.system_prompt, context) for one in job.sets]
    interrupt.check()
    log.phase("loading", f"Loading {job.model.name}")
    folder = Path(job.adapter).expanduser() if job.adapter else None
    model = job.model if folder is None else shape_of(folder, job.model)
    network = load_network(model, tokenizer, *on, seed=0)
    adapter = None if folder is None else load_adapter(network, folder, job.weights)
    if folder is not None and (other := made_for_another(folder, job.model)) is not None:
        log.say(
            f"The adapter says that it was made for {other}, and is evaluated on {job.model.name}.",
            "warning",
        )
    writer = Writer(network, job.model, interrupt, job.seed)
    results, replace = into
    evaluator = Evaluator(writer, tokenizer, log, adapter, job.system_prompt, replace)
    summaries = []
    for questions in sets:
        summary = evaluator.evaluate(questions, results / questions.of.name)
        log.emit(
            "evaluation",
            set=questions.of.name,
            step=0,
            path=str(results / questions.of.name),
            summary=summary,
        )
        summaries.append(summary)
    return summaries


def _freeze(job: EvaluationJob, log: EventLog) -> None:
    text = yaml_text(job.model_dump(mode="json"))
    write_atomically(log.folder / CONFIG_FILE, text.encode())
