"""The words that student and teacher see, as chat messages.

Text from a record is put in once and never looked at again for placeholders.
"""

from __future__ import annotations

import re
from typing import TypedDict

from core.config import RunConfig
from core.records import Record


class Message(TypedDict):
    """A chat message as `tokenizer.apply_chat_template` takes it."""

    role: str
    content: str


def student_messages(record: Record, config: RunConfig) -> list[Message]:
    """What the deployed model will see."""
    return _conversation(record.prompt, config)


def teacher_messages(record: Record, config: RunConfig) -> list[Message]:
    """The same question with a worked example to study (`method`: primary teacher)."""
    parts = {
        "{prompt}": record.prompt,
        "{demonstration}": demonstration(record, use_rationale=config.teacher.use_rationale),
    }
    content = re.sub(
        r"\{prompt\}|\{demonstration\}", lambda found: parts[found[0]], config.teacher.template
    )
    return _conversation(content, config)


def demonstration(record: Record, *, use_rationale: bool) -> str:
    """The privileged material of a record as text."""
    if use_rationale and record.rationale:
        return f"{record.rationale}\nAnswer: {record.answer}"
    return f"Answer: {record.answer}"


def _conversation(content: str, config: RunConfig) -> list[Message]:
    messages: list[Message] = []
    if config.data.system_prompt:
        messages.append({"role": "system", "content": config.data.system_prompt})
    messages.append({"role": "user", "content": content})
    return messages
