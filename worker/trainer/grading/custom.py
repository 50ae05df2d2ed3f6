"""People's own graders: a Python function on the worker, by its dotted name."""

from __future__ import annotations

import importlib
import json
import os
from collections.abc import Callable, Mapping
from typing import Any, Final

from core.record import Record
from worker.trainer.failures import mistake
from worker.trainer.grading.grade import Grade

SWITCH: Final = "UNISD_ALLOW_CUSTOM_GRADERS"
FIELD: Final = "evaluation.grader"

Grader = Callable[[Record, str], Grade]


def load_grader(name: str) -> Grader:
    """Import a grader `package.module:function`.

    The function gets the record as a dict and the answer's text; it returns a bool, a number
    between 0 and 1 (1 is right), or a dict with `correct` and perhaps `extracted`, `partial` and
    more, which is kept for inspection.

    Raises:
        StudioError: `grader_not_allowed` unless the worker's administrator allows such code;
            `grader_not_found`.
    """
    if os.environ.get(SWITCH) != "1":
        raise mistake(
            "grader_not_allowed",
            f"This worker does not run graders of your own ({name}).",
            f"Set {SWITCH}=1 on the worker, if its administrator trusts that code.",
            field=FIELD,
        )
    module, _, function = name.partition(":")
    try:
        found = getattr(importlib.import_module(module), function)
    except Exception as error:  # whatever people's module raises on its import
        raise mistake(
            "grader_not_found",
            f"The grader {name} cannot be imported: {error}.",
            "Name it as package.module:function, on the worker's PYTHONPATH.",
            field=FIELD,
        ) from error

    def grader(record: Record, text: str) -> Grade:
        try:
            return _as_grade(found(record.model_dump(), text), text)
        except Exception as error:  # whatever people's code raises is told as its mistake
            raise mistake(
                "grader_failed",
                f"The grader {name} failed on record {record.id}: {type(error).__name__}: {error}.",
                "Mend the function; it must return a bool, a number, or a dict with `correct`.",
                field=FIELD,
            ) from error

    return grader


def _as_grade(given: Any, text: str) -> Grade:  # noqa: ANN401 - whatever the function returned
    said = text.strip() or None
    if isinstance(given, bool) or type(given).__name__ == "bool_":  # numpy's truths too
        return Grade(said, bool(given))
    if isinstance(given, int | float):
        if not 0 <= given <= 1:
            raise ValueError(f"{given} is not between 0 and 1")
        return Grade(said, given >= 1, float(given))
    if isinstance(given, Mapping) and isinstance(given.get("correct"), bool):
        extracted, partial = given.get("extracted"), given.get("partial")
        detail = {key: value for key, value in given.items() if key not in Grade._fields}
        json.dumps(detail)  # it is kept as JSON
        return Grade(
            None if extracted is None else str(extracted),
            given["correct"],
            None if partial is None else float(partial),
            detail or None,
        )
    raise TypeError(f"it returned a {type(given).__name__}")
