"""Keeps rollouts with their per-token values: a Parquet file per recorded step."""

# ruff: noqa: N803, N806 - capital letters in tensor names are axes
# ruff: noqa: ANN401 - the classes of models and tokenizers differ from model to model

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import pyarrow as pa
import pyarrow.parquet as pq
import torch
from torch import Tensor

from worker.trainer.event_log import EventLog, finite
from worker.trainer.failures import write_failure
from worker.trainer.files import write_atomically
from worker.trainer.step import Scored
from worker.trainer.token_text import decode, pieces

FOLDER: Final = "trajectories"

_FLOATS = pa.list_(pa.float32())
_TOKENS_OF_EACH = pa.list_(pa.list_(pa.int32()))
_FLOATS_OF_EACH = pa.list_(pa.list_(pa.float32()))
_TEXTS_OF_EACH = pa.list_(pa.list_(pa.string()))

SCHEMA: Final = pa.schema(
    [
        ("step", pa.int64()),
        ("record_id", pa.string()),
        ("pinned", pa.bool_()),
        ("truncated", pa.bool_()),
        ("prompt", pa.string()),
        ("reference", pa.string()),
        ("rationale", pa.string()),
        ("completion", pa.string()),
        ("student_prompt_text", pa.string()),
        ("teacher_prompt_text", pa.string()),
        ("student_prompt_tokens", pa.int32()),
        ("teacher_prompt_tokens", pa.int32()),
        # What is null belongs to a mechanism that is off.
        ("source", pa.string()),
        ("auxiliary_prompt_texts", pa.list_(pa.string())),
        ("negative_prompt_text", pa.string()),
        ("token_ids", pa.list_(pa.int32())),
        ("tokens", pa.list_(pa.string())),
        ("student_logprob", _FLOATS),
        ("teacher_logprob", _FLOATS),
        ("divergence", _FLOATS),
        ("entropy_student", _FLOATS),
        ("entropy_teacher", _FLOATS),
        ("negative_logprob", _FLOATS),
        # One list per auxiliary teacher, at temperature 1.
        ("auxiliary_logprobs", _FLOATS_OF_EACH),
        ("disagreement", _FLOATS),
        ("weight", _FLOATS),
        ("divergence_clipped", _FLOATS),
        ("contrastive", _FLOATS),
        ("feature_distance", _FLOATS),
        # Share of the token in the logged loss, in all and by term; null where the rollout is not
        # in the batch.
        ("contribution", _FLOATS),
        ("contribution_divergence", _FLOATS),
        ("contribution_contrastive", _FLOATS),
        ("contribution_feature", _FLOATS),
        ("contribution_cross_entropy", _FLOATS),
        ("topk_student_ids", _TOKENS_OF_EACH),
        ("topk_student_logprobs", _FLOATS_OF_EACH),
        ("topk_student_texts", _TEXTS_OF_EACH),
        ("topk_teacher_ids", _TOKENS_OF_EACH),
        ("topk_teacher_logprobs", _FLOATS_OF_EACH),
        ("topk_teacher_texts", _TEXTS_OF_EACH),
    ]
)
"""Columns of `trajectories/step-….parquet`. Log-probabilities, divergence and entropies in nats at
the sampling temperature; lists have one entry per completion token."""


class Recorder:
    """Collects the rollouts of a step that are to be kept, and writes them together."""

    def __init__(self, log: EventLog, tokenizer: Any) -> None:
        self._log = log
        self._tokenizer = tokenizer
        self._rows: list[dict[str, Any]] = []

    def add(self, scored: Scored, count: int, *, step: int, pinned: bool) -> None:
        """Keep the first `count` rollouts of a scored micro-batch."""
        start = 0
        for index, completion in enumerate(scored.batch.completions[:count]):
            tokens = slice(start, start + len(completion.ids))
            self._rows.append(
                {"step": step, "pinned": pinned}
                | self._texts(scored, index)
                | self._values(scored, tokens)
                | _mechanisms(scored, index, tokens)
                | _contributions(scored, index, len(completion.ids))
            )
            start = tokens.stop

    def write(self, step: int) -> None:
        """Write the kept rollouts, then report them, one event a row.

        Raises:
            StudioError: `disk_full` or `write_failed`.
        """
        rows, self._rows = self._rows, []
        if not rows:
            return
        name = f"{FOLDER}/step-{step:06d}.parquet"
        path = self._log.folder / name
        buffer = pa.BufferOutputStream()
        pq.write_table(pa.Table.from_pylist(rows, schema=SCHEMA), buffer, compression="zstd")
        try:
            path.parent.mkdir(exist_ok=True)
            write_atomically(path, buffer.getvalue().to_pybytes())
        except OSError as error:
            raise write_failure(path, error) from error
        for index, row in enumerate(rows):
            self._log.emit("trajectory", file=name, row=index, **_summary(row))

    def _texts(self, scored: Scored, index: int) -> dict[str, Any]:
        example, rollout = scored.batch.examples[index], scored.batch.completions[index]
        record = example.record
        return {
            "record_id": record.id,
            "truncated": rollout.truncated,
            "prompt": record.prompt,
            "reference": record.answer,
            "rationale": record.rationale,
            "completion": decode(self._tokenizer, rollout.ids),
            "student_prompt_text": example.student.text,
            "teacher_prompt_text": example.teacher.text,
            "student_prompt_tokens": len(example.student.ids),
            "teacher_prompt_tokens": len(example.teacher.ids),
            "source": rollout.source,
            "auxiliary_prompt_texts": [view.text for view in example.auxiliary] or None,
            "negative_prompt_text": example.negative.text if example.negative else None,
            "token_ids": rollout.ids,
            "tokens": pieces(self._tokenizer, rollout.ids),
        }

    def _values(self, scored: Scored, tokens: slice) -> dict[str, Any]:
        scores = scored.scores
        student_ids = scores.top_student_ids_NK[tokens].tolist()
        values = {
            "student_logprob": scores.student_logprob_N[tokens].tolist(),
            "entropy_student": scores.student_entropy_N[tokens].tolist(),
            "topk_student_ids": student_ids,
            "topk_student_logprobs": scores.top_student_logprobs_NK[tokens].tolist(),
            "topk_student_texts": self._alternatives(student_ids),
        }
        if scored.teachers is None:
            return values
        teacher_ids = scores.top_teacher_ids_NK[tokens].tolist()
        return values | {
            "teacher_logprob": scores.teacher_logprob_N[tokens].tolist(),
            "divergence": scores.divergence_N[tokens].tolist(),
            "entropy_teacher": scores.teacher_entropy_N[tokens].tolist(),
            "topk_teacher_ids": teacher_ids,
            "topk_teacher_logprobs": scores.top_teacher_logprobs_NK[tokens].tolist(),
            "topk_teacher_texts": self._alternatives(teacher_ids),
        }

    def _alternatives(self, ids: Sequence[Sequence[int]]) -> list[list[str]]:
        distinct = {token for alternatives in ids for token in alternatives}
        texts = {token: decode(self._tokenizer, [token]) for token in distinct}
        return [[texts[token] for token in alternatives] for alternatives in ids]


TERMS: Final = {
    "divergence": "contribution_divergence",
    "contrastive": "contribution_contrastive",
    "feature_matching": "contribution_feature",
    "cross_entropy": "contribution_cross_entropy",
}


def _mechanisms(scored: Scored, index: int, tokens: slice) -> dict[str, Any]:
    """Values of the mechanisms that are on; the others' columns stay null."""
    if scored.teachers is None:
        return {}
    count = tokens.stop - tokens.start
    shape = scored.tokens_BT.shape
    weight, disagreement = None, None
    if scored.agreement is not None:
        weight = scored.agreement.weight.expand(shape)
        disagreement = scored.agreement.disagreement.expand(shape)
    auxiliary = scored.teachers.auxiliary_KN[:, tokens].tolist()
    has_negative = scored.teachers.has_negative[index]
    return {
        "negative_logprob": scored.teachers.negative_N[tokens].tolist() if has_negative else None,
        "auxiliary_logprobs": auxiliary or None,
        "weight": _row(weight, index, count),
        "disagreement": _row(disagreement, index, count),
        "divergence_clipped": _row(scored.clipped_BT, index, count) if scored.is_clipped else None,
        "contrastive": _row(scored.contrastive_BT, index, count) if has_negative else None,
        "feature_distance": _row(scored.feature_BT, index, count),
    }


def _contributions(scored: Scored, index: int, count: int) -> dict[str, Any]:
    terms = scored.terms
    if terms is None:
        return {}
    total_BT = torch.stack(list(terms.values())).sum(0)
    return {"contribution": _row(total_BT, index, count)} | {
        TERMS[name]: _row(share_BT, index, count) for name, share_BT in terms.items()
    }


def _row(values_BT: Tensor | None, index: int, count: int) -> list[float] | None:
    if values_BT is None:
        return None
    values: list[float] = values_BT[index, :count].tolist()
    return values


def _summary(row: dict[str, Any]) -> dict[str, Any]:
    names = ("step", "record_id", "pinned", "prompt", "completion", "reference", "truncated")
    divergence = row.get("divergence")
    return {name: row[name] for name in names} | {
        "tokens": len(row["token_ids"]),
        "divergence": finite(sum(divergence) / len(divergence)) if divergence else None,
    }
