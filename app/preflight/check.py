"""Checks storage, model, data and prompt lengths of a configuration, and says how to mend them."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from app.preflight.hub import why_not_on_hub
from app.preflight.prompts import UnusableModelError, load_counter
from app.settings import Settings
from core.config import ModelConfig, RunConfig
from core.data_config import Source
from core.errors import Problem, StudioError
from core.evaluation_config import EvaluationSet, training_sets
from core.evaluation_job import EvaluationJob
from core.models import find_local_model
from core.prompts import student_messages, teacher_messages
from core.record import Record
from core.records import data_file, read_records

# Records looked at before the answer; the trainer looks at all.
_RECORDS_PARSED = 50_000
_PROMPTS_COUNTED = 500


class Findings(NamedTuple):
    """What is wrong with a configuration, and what one should know."""

    errors: list[Problem]
    warnings: list[Problem]


def check(config: RunConfig, settings: Settings) -> Findings:
    """Everything that the web side can know about a configuration."""
    errors = [*_check_storage(settings)]
    model, model_problem = _find_model(config.model, settings)
    if model_problem:
        errors.append(model_problem)
    root_problem = _check_root(config.data, settings)
    if root_problem:
        return Findings([*errors, root_problem], [])
    try:
        prompts = _check_data(_Key.of(config, model))
    except StudioError as error:
        return Findings([*errors, *error.problems], [])
    asked = _check_sets(training_sets(config.evaluation, config.data), settings)
    return Findings([*errors, *prompts.errors, *asked.errors], [*prompts.warnings, *asked.warnings])


def check_job(job: EvaluationJob, settings: Settings) -> Findings:
    """What the web side can know about an evaluation: storage, model, and the first records."""
    errors = [*_check_storage(settings)]
    _, model_problem = _find_model(job.model, settings)
    if model_problem:
        errors.append(model_problem)
    asked = _check_sets(job.sets, settings)
    return Findings([*errors, *asked.errors], asked.warnings)


def _check_sets(sets: Sequence[EvaluationSet], settings: Settings) -> Findings:
    """The first records of what is asked."""
    errors: list[Problem] = []
    warnings: list[Problem] = []
    for source in sets:
        outside = _check_root(source, settings)
        if outside is not None:
            errors.append(outside)
            continue
        try:
            next(read_records(source, training=False))
        except StudioError as error:
            # The worker may have the benchmark's files, or get them from the hub.
            absent = error.problem.code == "benchmark_not_found"
            (warnings if absent else errors).extend(error.problems)
    return Findings(errors, warnings)


def _check_storage(settings: Settings) -> Iterator[Problem]:
    directory = settings.runs_directory
    try:
        directory.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=directory) as probe:
            probe.write(b"\0" * 4096)
    except OSError as error:
        yield Problem(
            code="storage_unwritable",
            message=f"The folder for runs, {directory}, cannot be written: {error.strerror}.",
            remedy="Make room or mend its permissions, or set UNISD_HOME to another folder.",
        )


def _find_model(model: ModelConfig, settings: Settings) -> tuple[Path | None, Problem | None]:
    name = model.name
    local = find_local_model(name, settings.home)
    if local is not None:
        return local, None
    reason = why_not_on_hub(name, model.revision)
    if reason is None:
        return None, None
    return None, Problem(
        code="model_not_found",
        message=f"The model “{name}” {reason}.",
        remedy="Check the name, or give a folder that holds the model (config.json, tokenizer and "
        "safetensors).",
        field="model.name",
    )


def _check_root(source: Source, settings: Settings) -> Problem | None:
    if not settings.data_roots or source.path is None:
        return None
    path = Path(source.path).expanduser().resolve()
    roots = [root.expanduser().resolve() for root in settings.data_roots]
    # Data sets were uploaded to be read.
    if path.is_relative_to(settings.datasets_directory.resolve()) or any(
        path.is_relative_to(root) for root in roots
    ):
        return None
    return Problem(
        code="data_outside_roots",
        message=f"The data file {source.path} lies outside the folders that may be read.",
        remedy=f"Put it under one of: {', '.join(map(str, roots))} (UNISD_DATA_ROOTS).",
        field=f"{source.place}.path",
    )


class _Key(NamedTuple):
    """All that the check of data and prompts depends on."""

    config: str
    model: Path | None
    size: int
    modified: int

    @classmethod
    def of(cls, config: RunConfig, model: Path | None) -> _Key:
        relevant = RunConfig(
            data=config.data,
            teacher=config.teacher,
            evaluation=config.evaluation,
            generation=config.generation,
        )
        try:
            state = data_file(config.data).stat()
        except (OSError, ValueError, StudioError):
            return cls(relevant.model_dump_json(), model, -1, -1)
        return cls(relevant.model_dump_json(), model, state.st_size, state.st_mtime_ns)


@lru_cache(maxsize=64)
def _check_data(key: _Key) -> Findings:
    config = RunConfig.model_validate_json(key.config)
    try:
        records = list(islice(read_records(config.data), _RECORDS_PARSED))
    except StudioError as error:
        if error.problem.code != "benchmark_not_found":
            raise
        # The worker may have the files, or get them from the hub.
        return Findings([], [error.problem])
    whole_file = len(records) < _RECORDS_PARSED
    if whole_file and len(records) <= config.evaluation.examples:
        problem = Problem(
            code="too_few_records",
            message=f"The data file has {len(records)} records and {config.evaluation.examples} "
            "are to be held out, so none is left to train on.",
            remedy="Hold out fewer or add records.",
            field="evaluation.examples",
        )
        return Findings([problem], [])
    if key.model is None:
        return Findings([], [])
    return _check_lengths(config, key.model, records)


def _check_lengths(config: RunConfig, model: Path, records: list[Record]) -> Findings:
    limit = config.generation.max_prompt_length
    sample = records[:_PROMPTS_COUNTED]
    try:
        counter = load_counter(model)
        if counter is None:
            return Findings([], [])
        lengths = [
            max(
                counter.count(student_messages(record, config)),
                counter.count(teacher_messages(record, config)),
            )
            for record in sample
        ]
    except UnusableModelError as error:
        problem = Problem(
            code="model_unusable",
            message=f"The model “{config.model.name}” cannot be used: {error}.",
            remedy="Take an instruction-tuned model.",
            field="model.name",
        )
        return Findings([problem], [])
    too_long = [
        (record, length) for record, length in zip(sample, lengths, strict=True) if length > limit
    ]
    if not too_long:
        return Findings([], [])
    record, length = too_long[0]
    every = len(too_long) == len(records)
    shortest = min(length for _, length in too_long)
    problem = Problem(
        code="prompt_too_long",
        message=f"{len(too_long)} of {len(sample)} records have a prompt that does not fit in "
        f"{limit} tokens (first: line {record.line} with {length})"
        + (", so none is left to train on." if every else " and will be dropped."),
        remedy="Raise generation.max_prompt_length"
        + (f" to at least {shortest}" if every else f" ({max(lengths)} keeps all)")
        + ", or shorten the records.",
        field="generation.max_prompt_length",
        line=record.line,
    )
    return Findings([problem], []) if every else Findings([], [problem])
