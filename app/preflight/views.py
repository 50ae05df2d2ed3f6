"""One training record behind all of its views, through the code that the trainer uses."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from app.preflight.made import Made
from app.preflight.prompts import PromptCounter
from app.preflight.schemas import RenderedExample, RenderedView
from core.config import RunConfig
from core.prompts import (
    EXAMPLE_TEMPLATE,
    INSTRUCTION_TEMPLATE,
    negative_messages,
    reference_completion,
    taught_messages,
)
from core.record import Record
from core.views import View, ViewContexts, Views

SPARE: Final = 32
"""Neighbours beyond K that step in where one is too long, as in the trainer."""
_LATER: Final = {
    "negative": "‹a wrong worked example, which the base model writes before training›",
    "induction": "‹an instruction, which the base model induces before training›",
    "retrieval": "‹the worked example of a similar record, which embeddings find before training›",
}
_NOTES: Final = {
    "random": "worked example of another record, drawn at random",
    "retrieval": "worked example of a similar record",
    "induction": "instruction that the model induced",
}


def contexts_of(config: RunConfig, made: Made, index: int, records: int, longest: int) -> Contexts:
    """What a record's views are made of, as far as it is in the cache."""
    agreement = config.objective.agreement
    neighbours: list[list[int]] = [[]] * records
    negatives: list[list[str]] = [[]] * records
    instructions: list[str] = []
    auxiliary_made = negative_made = True
    if agreement.enabled and agreement.contexts == "retrieval":
        near = made.neighbours(index, agreement.views + SPARE)
        auxiliary_made = near is not None
        neighbours[index] = near or []
    if agreement.enabled and agreement.contexts == "induction":
        found = made.instructions()
        auxiliary_made = found is not None
        instructions = found or []
    if config.objective.contrastive.enabled:
        texts = made.negatives(index)
        negative_made = texts is not None
        negatives[index] = texts or []
    parts = ViewContexts(neighbours, instructions, negatives, longest)
    return Contexts(parts, auxiliary_made=auxiliary_made, negative_made=negative_made)


class Contexts:
    """Contexts of a record's views, and which of them are there."""

    def __init__(self, parts: ViewContexts, *, auxiliary_made: bool, negative_made: bool) -> None:
        self.parts = parts
        self.auxiliary_made = auxiliary_made
        self.negative_made = negative_made


def render(
    config: RunConfig,
    counter: PromptCounter,
    records: Sequence[Record],
    index: int,
    contexts: Contexts,
    *,
    whole: bool,
) -> RenderedExample:
    """A record's prompts in the first epoch, those not made yet with a mark in their place.

    Raises:
        UnusableModelError: the template refuses a prompt.
    """
    record = records[index]
    example = Views(counter, config, records, contexts.parts).example(index, 0)
    views = [_shown("student", 1, example.student, note="the question alone")]
    if config.objective.needs_teacher:
        views.append(_shown("primary", 1, example.teacher, note="this record's worked example"))
        views.extend(_auxiliary(config, counter, record, example.auxiliary, contexts))
    if config.objective.contrastive.enabled:
        views.extend(_negative(config, counter, record, example.negative, contexts))
    return RenderedExample(
        index=index,
        records=len(records),
        line=record.line,
        id=record.id,
        views=views,
        reference=reference_completion(record, answer_first=config.data.answer_first),
        exact=whole and all(view.made for view in views),
    )


def _auxiliary(
    config: RunConfig,
    counter: PromptCounter,
    record: Record,
    found: Sequence[View],
    contexts: Contexts,
) -> list[RenderedView]:
    agreement = config.objective.agreement
    if not agreement.enabled:
        return []
    if contexts.auxiliary_made:
        note = _NOTES[agreement.contexts]
        return [_shown("auxiliary", number, view, note) for number, view in enumerate(found, 1)]
    induced = agreement.contexts == "induction"
    template = INSTRUCTION_TEMPLATE if induced else EXAMPLE_TEMPLATE
    messages = taught_messages(record, template, _LATER[agreement.contexts], config)
    view = counter.view(messages, record)
    note = f"{_NOTES[agreement.contexts]}; not made yet"
    return [
        _shown("auxiliary", number, view, note, made=False)
        for number in range(1, agreement.views + 1)
    ]


def _negative(
    config: RunConfig,
    counter: PromptCounter,
    record: Record,
    found: View | None,
    contexts: Contexts,
) -> list[RenderedView]:
    if found is not None:
        return [_shown("negative", 1, found, "wrong worked example that the base model wrote")]
    if contexts.negative_made:
        return []  # none was usable: the record trains without the contrastive term
    view = counter.view(negative_messages(record, _LATER["negative"], config), record)
    return [_shown("negative", 1, view, "wrong worked example; not made yet", made=False)]


def _shown(role: str, number: int, view: View, note: str, *, made: bool = True) -> RenderedView:
    return RenderedView.model_validate(
        {
            "role": role,
            "number": number,
            "text": view.text,
            "tokens": len(view.ids),
            "made": made,
            "note": note,
        }
    )
