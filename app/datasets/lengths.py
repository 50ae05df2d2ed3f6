"""How long examples are for a model's tokenizer."""

from __future__ import annotations

from itertools import islice
from pathlib import Path
from typing import Final

import numpy as np

from app.datasets.report import mapped
from app.datasets.schemas import Histogram, Lengths
from app.preflight.prompts import PromptCounter, UnusableModelError, load_counter
from core.data_config import DataFields
from core.errors import Problem, StudioError
from core.models import find_local_model
from core.prompts import conversation, reference_completion
from core.record import Record

_COUNTED: Final = 2_000
_BINS: Final = 30


def token_lengths(path: Path, fields: DataFields, model: str, home: Path) -> Lengths:
    """Tokens of prompts, in the chat template, and of reference answers.

    Raises:
        StudioError: `model_not_found` or `model_unusable`, or `data_empty` without any example.
    """
    counter = _counter(model, home)
    good = (row.record for row in mapped(path, fields) if isinstance(row.record, Record))
    prompts, answers = [], []
    try:
        for record in islice(good, _COUNTED):
            prompts.append(counter.count(conversation(record, record.prompt, None)))
            shown = reference_completion(record, answer_first=False)
            answers.append(len(counter.tokenizer.encode(shown, add_special_tokens=False).ids))
    except UnusableModelError as error:
        raise _problem("model_unusable", f"The model “{model}” cannot be used: {error}.") from error
    if not prompts:
        raise _problem("data_empty", "The version has no example to count.", field="mapping")
    return Lengths(
        model=model,
        examples=len(prompts),
        prompt=_histogram(prompts),
        answer=_histogram(answers),
    )


def _counter(model: str, home: Path) -> PromptCounter:
    folder = find_local_model(model, home)
    if folder is None:
        raise _problem("model_not_found", f"The model “{model}” is not on the API's machine.")
    try:
        counter = load_counter(folder)
    except UnusableModelError as error:
        raise _problem("model_unusable", f"The model “{model}” cannot be used: {error}.") from error
    if counter is None:
        raise _problem("model_unusable", f"The model “{model}” has no tokenizer.json.")
    return counter


def _problem(code: str, message: str, field: str = "model") -> StudioError:
    remedy = "Mend the mapping." if field == "mapping" else "Name a model that is there."
    return StudioError(Problem(code=code, message=message, remedy=remedy, field=field))


def _histogram(values: list[int]) -> Histogram:
    """Bins of one width in whole tokens."""
    found = np.asarray(values)
    low, high = int(found.min()), int(found.max())
    width = max(1, -(-(high - low + 1) // _BINS))
    edges = np.arange(low, high + width + 1, width)
    return Histogram(
        edges=edges.tolist(),
        counts=np.histogram(found, edges)[0].tolist(),
        minimum=low,
        median=float(np.median(found)),
        p95=float(np.quantile(found, 0.95)),
        maximum=high,
    )
