"""Columns of the Parquet files that keep rollouts (`docs/trajectories.md`)."""

from __future__ import annotations

from typing import Final

import pyarrow as pa

_FLOATS: Final = pa.list_(pa.float32())
_TOKENS_OF_EACH: Final = pa.list_(pa.list_(pa.int32()))
_FLOATS_OF_EACH: Final = pa.list_(pa.list_(pa.float32()))
_TEXTS: Final = pa.list_(pa.string())
_TEXTS_OF_EACH: Final = pa.list_(pa.list_(pa.string()))

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
        ("auxiliary_prompt_texts", _TEXTS),
        ("negative_prompt_text", pa.string()),
        # How the completion was graded; null where it was not.
        ("task", pa.string()),
        ("grade", pa.float64()),
        ("extracted", pa.string()),
        ("token_ids", pa.list_(pa.int32())),
        ("tokens", _TEXTS),
        ("parts", _TEXTS),
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
        # What the loss was made with: from these and the values above it can be computed again.
        ("counted", pa.bool_()),
        ("objective", pa.string()),
        ("alpha", pa.float64()),
        ("temperature", pa.float64()),
        ("normalize_by", pa.string()),
        ("batch_sequences", pa.int32()),
        ("batch_loss", pa.float64()),
        ("clip_ceiling", pa.float64()),
        ("clip_quantile", pa.float64()),
        ("divergence_quantiles", pa.list_(pa.float64())),
        ("agreement_level", pa.string()),
        ("agreement_statistic", pa.string()),
        ("agreement_gamma", pa.float64()),
        ("agreement_scale", pa.float64()),
        ("agreement_scale_variance", pa.float64()),
        ("agreement_scale_range", pa.float64()),
        ("contrastive_margin", pa.float64()),
        ("contrastive_weight", pa.float64()),
        ("feature_mode", pa.string()),
        ("feature_weight", pa.float64()),
    ]
)
"""Log-probabilities, divergence and entropies in nats at the sampling temperature; lists have one
entry per completion token."""
