"""What is made once before training: is it in this machine's cache, and what does it say."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

import numpy as np

from app.preflight.prompts import PromptCounter
from core.cache import Kept, cache_folder
from core.config import RunConfig
from core.identity import folder_identity
from core.made import (
    COMPLETIONS,
    EMBEDDINGS,
    INSTRUCTIONS,
    NEGATIVES,
    instructions_key,
    made_settings,
    model_settings,
    negatives_key,
)
from core.models import find_local_model, hub_commit, packaged_model
from core.prompts import student_messages
from core.record import Record
from core.seeds import derive_seed
from core.views import first_of_each, question

LOOKED_AT: Final = 500
"""Results that are looked for one by one; the share found stands for the rest."""
RESOLUTION: Final = 1e6
"""Similarities that are equal up to its inverse are equal, as in the trainer."""


class Made:
    """The cache as it is seen from the web side.

    Args:
        config: the run's configuration, with a file in place of a data set.
        folder: the model's, on this machine.
        counter: its tokenizer and chat template.
        records: records left to train on.
        longest: tokens that the prompt of a view may have.
        home: the studio's.
    """

    def __init__(
        self,
        config: RunConfig,
        folder: Path,
        counter: PromptCounter,
        records: Sequence[Record],
        longest: int,
        home: Path,
    ) -> None:
        self._config = config
        self._counter = counter
        self._records = records
        self._longest = longest
        self._home = home
        self._cache = cache_folder(home)
        self._identity = identity(folder, config.model.name)

    def negatives(self, index: int) -> list[str] | None:
        """A record's wrong demonstrations; None where they are not made yet."""
        key = negatives_key(self._records[index], self._config, self._longest)
        found: list[str] | None = self._made(NEGATIVES).get(key)
        return found

    def instructions(self) -> list[str] | None:
        """The induced instructions; None where they are not made yet."""
        key = instructions_key(self._records, self._config)
        found: list[str] | None = self._made(INSTRUCTIONS).get(key)
        return found

    def has_negatives(self, index: int) -> bool:
        """Whether a record's wrong demonstrations are there."""
        key = negatives_key(self._records[index], self._config, self._longest)
        return self._made(NEGATIVES).has(key)

    def has_completion(self, index: int) -> bool:
        """Whether the base model's completion of a record is there."""
        generation, record = self._config.generation, self._records[index]
        how = {
            "temperature": generation.temperature,
            "top_p": generation.top_p,
            "top_k": generation.top_k,
            "max_tokens": generation.max_completion_length,
        }
        kept = Kept(COMPLETIONS, [*model_settings(self._identity, self._config), how], self._cache)
        text = self._counter.render(student_messages(record, self._config))
        seed = derive_seed(self._config.training.seed, "presampled", record.id)
        return kept.has([self._counter.tokens(text), seed])

    def embeddings(self) -> Kept | None:
        """Embeddings of prompts; None where their model is not on this machine."""
        name = self._config.objective.agreement.embedding_model
        folder = find_local_model(name, self._home) or packaged_model(name)
        if folder is None:
            return None
        return Kept(EMBEDDINGS, identity(folder, name), self._cache)

    def neighbours(self, index: int, count: int) -> list[int] | None:
        """Similar records of one record, nearest first; None where not all are embedded yet."""
        kept = self.embeddings()
        first = first_of_each(self._records)
        rows = list(first.values())
        vectors = [kept.get(self._records[row].prompt) for row in rows] if kept else [None]
        if any(vector is None for vector in vectors):
            return None
        return nearest(vectors, rows, first[question(self._records[index])], self._records, count)

    def _made(self, kind: str) -> Kept:
        return Kept(kind, made_settings(self._identity, self._config), self._cache)


def nearest(
    vectors: Sequence[Any], rows: Sequence[int], own: int, records: Sequence[Record], count: int
) -> list[int]:
    """Rows by similarity to one of them; equal ones in file order, the same prompt never."""
    matrix = np.asarray(vectors, dtype=np.float32)
    similar = np.round(matrix @ matrix[rows.index(own)] * np.float32(RESOLUTION)).astype(np.int64)
    order = np.lexsort((np.arange(len(rows)), -similar))
    others = (rows[place] for place in order.tolist())
    kept = [row for row in others if records[row].prompt != records[own].prompt]
    return kept[:count]


def identity(folder: Path, name: str) -> list[Any]:
    """What tells a model from another, as the trainer has it."""
    commit = hub_commit(folder)
    if commit is not None:
        return [name, commit]
    newest = max((path.stat().st_mtime_ns for path in folder.glob("*")), default=0)
    return _folder_identity(folder, newest)


@lru_cache(maxsize=16)
def _folder_identity(folder: Path, _newest: int) -> list[Any]:
    return folder_identity(folder)


def count(total: int, has: Callable[[int], bool]) -> tuple[int, int]:
    """How many of the first results are there, and how many were looked for."""
    looked_at = min(total, LOOKED_AT)
    return sum(has(index) for index in range(looked_at)), looked_at
