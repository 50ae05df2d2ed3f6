"""Keeps rollouts with their per-token values in Parquet files of several steps.

A file is replaced by a longer one with each recorded step until it is full; then the next begins.
So every rollout can be read as soon as it is told of, and a long run leaves hundreds of files, not
tens of thousands.
"""

# ruff: noqa: N803, N806 - capital letters in tensor names are axes
# ruff: noqa: ANN401 - the classes of models and tokenizers differ from model to model

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import pyarrow as pa
import pyarrow.parquet as pq
import torch
from torch import Tensor

from core.config import RunConfig
from core.record import Record
from worker.trainer import mechanisms
from worker.trainer.event_log import EventLog, finite
from worker.trainer.failures import write_failure
from worker.trainer.files import write_atomically
from worker.trainer.grading import grade
from worker.trainer.grading.parts import parts_of_tokens
from worker.trainer.step import Completion, Scored
from worker.trainer.token_text import decode, pieces
from worker.trainer.trajectory_schema import SCHEMA

FOLDER: Final = "trajectories"
SHARD_ROWS: Final = 64
SHARD_BYTES: Final = 4 * 2**20
GROUP_ROWS: Final = 16
"""Rows that are read together when one of them is wanted."""


@dataclass
class _Shard:
    """A file that grows by row groups, until it has enough rows or bytes."""

    name: str
    tables: list[pa.Table] = field(default_factory=list)
    rows: int = 0
    size: int = 0

    @property
    def full(self) -> bool:
        return self.rows >= SHARD_ROWS or self.size >= SHARD_BYTES

    def extended(self, table: pa.Table) -> bytes:
        """The file's content with these rows at its end; a row group holds `GROUP_ROWS` at most."""
        self.tables.append(table)
        buffer = pa.BufferOutputStream()
        with pq.ParquetWriter(buffer, SCHEMA, compression="zstd") as writer:
            for one in self.tables:
                writer.write_table(one, row_group_size=GROUP_ROWS)
        content: bytes = buffer.getvalue().to_pybytes()
        self.rows += len(table)
        self.size = len(content)
        return content


class Recorder:
    """Collects the rollouts of a step that are to be kept, and writes them together."""

    def __init__(self, log: EventLog, tokenizer: Any, config: RunConfig) -> None:
        self._log = log
        self._tokenizer = tokenizer
        self._settings = _settings(config)
        self._statistic = config.objective.agreement.statistic
        self._rows: list[dict[str, Any]] = []
        self._shard: _Shard | None = None

    def add(self, scored: Scored, count: int, *, step: int, pinned: bool) -> None:
        """Keep the first `count` rollouts of a scored micro-batch."""
        start = 0
        for index, completion in enumerate(scored.batch.completions[:count]):
            tokens = slice(start, start + len(completion.ids))
            self._rows.append(
                {"step": step, "pinned": pinned}
                | self._settings
                | self._texts(scored, index)
                | self._grade(scored.batch.examples[index].record, completion)
                | self._values(scored, tokens)
                | self._mechanisms(scored, index, tokens)
                | _contributions(scored, index, len(completion.ids))
                | self._normalisers(scored, index)
            )
            start = tokens.stop

    def conclude(self, loss: float, divergence_quantiles: list[float] | None) -> None:
        """Add to the rollouts of a step's batch what is known when all of it was scored."""
        of_batch = {"batch_loss": loss, "divergence_quantiles": divergence_quantiles}
        for row in self._rows:
            if not row["pinned"]:
                row.update(of_batch)

    def write(self, step: int) -> None:
        """Write the kept rollouts, then report them, one event a row.

        Raises:
            StudioError: `disk_full` or `write_failed`.
        """
        rows, self._rows = self._rows, []
        if not rows:
            return
        if self._shard is None or self._shard.full:
            self._shard = _Shard(f"{FOLDER}/step-{step:06d}.parquet")
        shard = self._shard
        first = shard.rows
        path = self._log.folder / shard.name
        try:
            path.parent.mkdir(exist_ok=True)
            write_atomically(path, shard.extended(pa.Table.from_pylist(rows, schema=SCHEMA)))
        except OSError as error:
            raise write_failure(path, error) from error
        for index, row in enumerate(rows, start=first):
            self._log.emit("trajectory", file=shard.name, row=index, **_summary(row))

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
        }

    def _grade(self, record: Record, completion: Completion) -> dict[str, Any]:
        """The model's own completions by the task's rule; code would have to be run for it."""
        told = pieces(self._tokenizer, completion.ids)
        values: dict[str, Any] = {
            "task": record.task,
            "tokens": told,
            "parts": parts_of_tokens(record, told, ended=not completion.truncated),
        }
        if record.task == "code" or completion.source == "reference":
            return values
        given = grade(record, decode(self._tokenizer, completion.ids, special=False))
        return values | {"grade": float(given.correct), "extracted": given.extracted}

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

    def _mechanisms(self, scored: Scored, index: int, tokens: slice) -> dict[str, Any]:
        """Values of the mechanisms that are on; the others' columns stay null."""
        teachers = scored.teachers
        if teachers is None:
            return {}
        count = tokens.stop - tokens.start
        has_negative = teachers.has_negative[index]
        is_clipped = scored.ceiling is not None
        return {
            "negative_logprob": teachers.negative_N[tokens].tolist() if has_negative else None,
            "auxiliary_logprobs": teachers.auxiliary_KN[:, tokens].tolist() or None,
            "divergence_clipped": _row(scored.clipped_BT, index, count) if is_clipped else None,
            "contrastive": _row(scored.contrastive_BT, index, count) if has_negative else None,
            "feature_distance": _row(scored.feature_BT, index, count),
        } | self._agreement(scored, index, tokens)

    def _agreement(self, scored: Scored, index: int, tokens: slice) -> dict[str, Any]:
        """Disagreement, and the weight where the rollout counts in the loss."""
        if scored.agreement is None or scored.teachers is None:
            return {}
        count = tokens.stop - tokens.start
        if _counts(scored, index):
            shape = scored.tokens_BT.shape
            return {
                "weight": _row(scored.agreement.weight.expand(shape), index, count),
                "disagreement": _row(scored.agreement.disagreement.expand(shape), index, count),
            }
        logprobs_KT = scored.teachers.auxiliary_KN[:, tokens]
        if self._settings["agreement_level"] == "token":
            disagreement_T = mechanisms.spread(logprobs_KT, self._statistic, unbiased=True)
        else:
            mean_K1 = logprobs_KT.mean(-1, keepdim=True)
            disagreement_1 = mechanisms.spread(mean_K1, self._statistic, unbiased=False)
            disagreement_T = disagreement_1.expand(count)
        return {"disagreement": disagreement_T.tolist()}

    def _normalisers(self, scored: Scored, index: int) -> dict[str, Any]:
        """What the values were divided by and compared with."""
        values: dict[str, Any] = {
            "counted": _counts(scored, index),
            "batch_sequences": scored.sequences,
            "clip_ceiling": scored.ceiling,
        }
        if scored.sequences is None and scored.teachers is not None:
            divergence_N = scored.scores.divergence_N
            values["divergence_quantiles"] = mechanisms.quantile_grid(divergence_N).tolist()
        if scored.scales is None:
            return values
        scales = {name: float(scale) for name, scale in scored.scales._asdict().items()}
        values |= {f"agreement_scale_{name}": scale for name, scale in scales.items()}
        if self._settings["agreement_level"] == "token":
            values["agreement_scale"] = scales[self._statistic]
        return values


TERMS: Final = {
    "divergence": "contribution_divergence",
    "contrastive": "contribution_contrastive",
    "feature_matching": "contribution_feature",
    "cross_entropy": "contribution_cross_entropy",
}


def _contributions(scored: Scored, index: int, count: int) -> dict[str, Any]:
    terms = scored.terms
    if terms is None:
        return {}
    total_BT = torch.stack(list(terms.values())).sum(0)
    return {"contribution": _row(total_BT, index, count)} | {
        TERMS[name]: _row(share_BT, index, count) for name, share_BT in terms.items()
    }


def _counts(scored: Scored, index: int) -> bool:
    return bool(scored.mask_BT[index].any())


def _settings(config: RunConfig) -> dict[str, Any]:
    """Settings of the loss, of those mechanisms that are on."""
    objective = config.objective
    imitates = objective.loss == "cross_entropy"
    values: dict[str, Any] = {
        "objective": objective.loss,
        "temperature": 1.0 if imitates else config.generation.temperature,
    }
    if imitates:
        return values
    values |= {"alpha": objective.alpha, "normalize_by": objective.normalize_by}
    if objective.clipping.enabled:
        values["clip_quantile"] = objective.clipping.quantile
    if objective.agreement.enabled:
        values |= {
            f"agreement_{name}": getattr(objective.agreement, name)
            for name in ("level", "statistic", "gamma")
        }
    if objective.contrastive.enabled:
        values["contrastive_margin"] = objective.contrastive.margin
        values["contrastive_weight"] = objective.contrastive.weight
    if objective.feature_matching.enabled:
        joint = objective.feature_matching.mode == "joint"
        values["feature_mode"] = objective.feature_matching.mode
        values["feature_weight"] = objective.feature_matching.weight if joint else 1.0
    return values


def _row(values_BT: Tensor | None, index: int, count: int) -> list[float] | None:
    if values_BT is None:
        return None
    values: list[float] = values_BT[index, :count].tolist()
    return values


_MEANS: Final = ("divergence", "disagreement", "weight", "feature_distance")


def _summary(row: dict[str, Any]) -> dict[str, Any]:
    names = ("step", "record_id", "pinned", "prompt", "completion", "reference", "truncated")
    disagreement = row.get("disagreement")
    clipped, contrastive, shares = (
        row.get(name) for name in ("divergence_clipped", "contrastive", "contribution")
    )
    return (
        {name: row[name] for name in names}
        | {"tokens": len(row["token_ids"]), "grade": row.get("grade")}
        | {name: _mean(row.get(name)) for name in _MEANS}
        | {
            "disagreement_max": finite(max(disagreement)) if disagreement else None,
            "clipped_share": _mean(
                clipped and [float(value >= row["clip_ceiling"]) for value in clipped]
            ),
            "contrastive_share": _mean(contrastive and [float(value > 0) for value in contrastive]),
            "loss": finite(sum(shares)) if shares else None,
        }
    )


def _mean(values: Sequence[float] | None) -> float | None:
    return finite(sum(values) / len(values)) if values else None
