"""What tests of the preparation share: records to write, and a model that says its lines."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from core.config import RunConfig
from core.record import Record
from core.records import read_records
from tests.worker.trainer.tiny import make_tiny_tokenizer, tiny_config
from worker.trainer.chat import Chat
from worker.trainer.event_log import EventLog
from worker.trainer.interrupt import Interrupt
from worker.trainer.preparation.asking import Asker
from worker.trainer.rollout import Rollout, Sampling

TOKENIZER = make_tiny_tokenizer()


def write_records(path: Path, rows: Sequence[dict[str, Any]]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


class Scripted:
    """Answers a prompt by what a function of its text and its seed says, and remembers it."""

    def __init__(self, says: Callable[[str, int], str], *, truncated: bool = False) -> None:
        self.says = says
        self.truncated = truncated
        self.prompts: list[str] = []

    def sample(
        self, prompts: Sequence[list[int]], _how: Sampling, seeds: Sequence[int]
    ) -> list[Rollout]:
        answers = []
        for prompt, seed in zip(prompts, seeds, strict=True):
            text = TOKENIZER.decode(prompt)
            self.prompts.append(text)
            ids = TOKENIZER(self.says(text, seed), add_special_tokens=False)["input_ids"]
            end = [] if self.truncated else [2]
            answers.append(Rollout([*ids, *end], self.truncated))
        return answers


def saying(text: str, *, truncated: bool = False) -> Scripted:
    return Scripted(lambda _prompt, _seed: text, truncated=truncated)


def make_asker(
    path: Path, folder: Path, sampler: Any, *, context: int | None = None, **parts: Any
) -> tuple[Asker, list[Record]]:
    parts.setdefault("generation", {"max_prompt_length": 900})
    config = RunConfig.model_validate(tiny_config(Path("/nowhere"), path, **parts))
    chat = Chat(TOKENIZER, config)
    asker = Asker(config, chat, sampler, EventLog(folder), Interrupt(), context)
    return asker, list(read_records(config.data))
