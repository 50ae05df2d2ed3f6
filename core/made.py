"""What the trainer has made for the views before training, kept as it was put to use.

The trainer keeps every answer of the base model on its own; whoever only wants to show a view needs
what became of the answers: the wrong demonstrations of a record, the induced instructions.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from core.cache import fingerprint
from core.config import RunConfig
from core.record import Record

NEGATIVES: Final = "usable_negatives"
INSTRUCTIONS: Final = "induced_instructions"
COMPLETIONS: Final = "completions"
EMBEDDINGS: Final = "embeddings"
VERSION: Final = 1
"""Rises when the words of the questions or the way of sampling change."""


def model_settings(identity: Any, config: RunConfig) -> list[Any]:  # noqa: ANN401 - plain data
    """What every answer of the base model depends on.

    Args:
        identity: of the model, as `core.identity` gives it.
        config: the run's configuration.
    """
    model = config.model
    return [identity, model.dtype, model.quantization, config.generation.backend]


def made_settings(identity: Any, config: RunConfig) -> list[Any]:  # noqa: ANN401 - plain data
    """The settings of what is made from such answers."""
    return [VERSION, *model_settings(identity, config)]


def negatives_key(record: Record, config: RunConfig, longest: int) -> list[Any]:
    """What determines a record's wrong demonstrations.

    Args:
        record: whose.
        config: the run's configuration.
        longest: tokens that the prompt of a view may have.
    """
    return [
        record.model_dump(mode="json"),
        config.teacher.template,
        config.teacher.use_rationale,
        config.data.answer_first,
        config.data.system_prompt,
        config.objective.contrastive.negatives_per_record,
        config.training.seed,
        longest,
    ]


def instructions_key(records: Sequence[Record], config: RunConfig) -> list[Any]:
    """What determines the induced instructions."""
    return [
        fingerprint([record.model_dump(mode="json") for record in records]),
        config.teacher.use_rationale,
        config.data.answer_first,
        config.objective.agreement.views,
        config.training.seed,
    ]
