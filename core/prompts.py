"""The words that student and teacher see, as chat messages.

Text from a record is put in once and never looked at again for placeholders.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final, TypedDict

from core.config import RunConfig
from core.record import Record

EXAMPLE_TEMPLATE: Final = """Here is another question with a worked solution:

{demonstration}

Now answer this question:

{prompt}"""

INSTRUCTION_TEMPLATE: Final = """{demonstration}

{prompt}"""


class Message(TypedDict):
    """A chat message as `tokenizer.apply_chat_template` takes it."""

    role: str
    content: str


def student_messages(record: Record, config: RunConfig) -> list[Message]:
    """What the deployed model will see."""
    return conversation(record, record.prompt, config.data.system_prompt)


def question_messages(
    record: Record, shown: Sequence[Record], system_prompt: str | None, *, answer_first: bool
) -> list[Message]:
    """A question of an evaluation, after other records with their answers (few-shot)."""
    messages = conversation(record, record.prompt, system_prompt)
    answered = [
        Message(role=role, content=content)
        for example in shown
        for role, content in (
            ("user", example.prompt),
            ("assistant", reference_completion(example, answer_first=answer_first)),
        )
    ]
    first = sum(message["role"] == "system" for message in messages)
    return [*messages[:first], *answered, *messages[first:]]


def teacher_messages(record: Record, config: RunConfig) -> list[Message]:
    """The same question with a worked example to study (`method`: primary teacher)."""
    shown = demonstration(record, config)
    return taught_messages(record, config.teacher.template, shown, config)


def example_messages(record: Record, shown: Record, config: RunConfig) -> list[Message]:
    """The question after another record's worked example (`method`: auxiliary teacher)."""
    return taught_messages(record, EXAMPLE_TEMPLATE, worked_example(shown, config), config)


def worked_example(record: Record, config: RunConfig) -> str:
    """A record's question with its demonstration, as a context for other records."""
    return f"{record.prompt}\n\n{demonstration(record, config)}"


def instruction_messages(record: Record, instruction: str, config: RunConfig) -> list[Message]:
    """The question under an instruction that the model induced (`method`: auxiliary teacher)."""
    return taught_messages(record, INSTRUCTION_TEMPLATE, instruction, config)


def negative_messages(record: Record, negative: str, config: RunConfig) -> list[Message]:
    """The primary teacher's prompt with a wrong worked example (`method`: negative teacher)."""
    return taught_messages(record, config.teacher.template, negative, config)


def taught_messages(record: Record, template: str, shown: str, config: RunConfig) -> list[Message]:
    """A template's user message with the record's prompt and what is shown beside it."""
    parts = {"{prompt}": record.prompt, "{demonstration}": shown}
    content = re.sub(r"\{prompt\}|\{demonstration\}", lambda found: parts[found[0]], template)
    return conversation(record, content, config.data.system_prompt)


def demonstration(record: Record, config: RunConfig) -> str:
    """The privileged material of a record as text, as the teacher is shown it."""
    if record.written is not None:
        return record.written
    return worked_answer(
        record.answer,
        record.rationale if config.teacher.use_rationale else None,
        answer_first=config.data.answer_first,
    )


def reference_completion(record: Record, *, answer_first: bool) -> str:
    """The data's answer as a completion: what `sft` imitates and evaluation scores."""
    if record.written is not None:
        return record.written
    return worked_answer(record.answer, record.rationale, answer_first=answer_first)


def worked_answer(answer: str, rationale: str | None, *, answer_first: bool) -> str:
    """An answer with its reasoning, in the order that the task asks for."""
    if not rationale:
        return f"Answer: {answer}"
    return f"Answer: {answer}\n{rationale}" if answer_first else f"{rationale}\nAnswer: {answer}"


def conversation(record: Record, content: str, system_prompt: str | None) -> list[Message]:
    """System prompt, the record's earlier turns, and what the user says last."""
    messages = [Message(role=turn.role, content=turn.content) for turn in record.turns]
    # A record that brings its own system message keeps it.
    if system_prompt and not any(message["role"] == "system" for message in messages):
        messages.insert(0, Message(role="system", content=system_prompt))
    return [*messages, Message(role="user", content=content)]
