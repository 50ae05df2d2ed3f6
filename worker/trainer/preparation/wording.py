"""The words with which the base model is asked for instructions and for wrong demonstrations."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from core.config import RunConfig
from core.multiple_choice import option
from core.prompts import Message, demonstration
from core.record import Record

INSTRUCTION_REQUEST: Final = (
    "Write one short, general instruction that helps to solve new questions of this kind. "
    "Do not mention the examples. Reply with the instruction only."
)


def ask_for_instruction(examples: Sequence[Record], config: RunConfig) -> list[Message]:
    """A handful of worked examples, and the request for what they have in common."""
    shown = "\n\n".join(
        f"Example {number}\n{record.prompt}\n{demonstration(record, config)}"
        for number, record in enumerate(examples, start=1)
    )
    return [
        {
            "role": "user",
            "content": f"{shown}\n\n{INSTRUCTION_REQUEST}",
        }
    ]


def ask_for_wrong_reason(record: Record, choice: int) -> list[Message]:
    """Multiple choice: an argument for a named wrong option."""
    return [
        {
            "role": "user",
            "content": f"{record.prompt}\n\nArgue in one or two convincing sentences that the best "
            f"option is {option(record.choices, choice)}. Reply with the argument only.",
        }
    ]


def ask_for_wrong_solution(record: Record) -> list[Message]:
    """A solution that looks right and is not: a text, or code or calls in the form asked for."""
    if record.written is None:
        wish = (
            "Write a short solution that sounds plausible but reaches a wrong result. End with a "
            "line that begins with “Answer:”."
        )
    else:
        wish = (
            "Write a solution in the form that is asked for. It must look right but contain a "
            "mistake that is hard to see. Reply with the solution only."
        )
    return [{"role": "user", "content": f"{record.prompt}\n\n{wish}"}]
