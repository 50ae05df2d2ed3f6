"""Which records a run trains on: read, measured against the limits, and held out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from core.config import RunConfig
from core.record import Record
from core.records import data_file, read_records
from worker.trainer.benchmark_files import obtain
from worker.trainer.chat import Chat
from worker.trainer.failures import mistake
from worker.trainer.files import file_sha256

TOO_LONG: Final = "prompt_too_long"
VIEWS_TOO_LONG: Final = "auxiliary_too_long"
NAMED_LINES: Final = 5


class Oversized(NamedTuple):
    """A dropped record: its line and the length of its longest prompt."""

    line: int
    tokens: int


@dataclass
class Dataset:
    """Records in file order, and what became of the others.

    Attributes:
        without_views: lines of records for which not enough auxiliary views fit.
        skipped: records left out for what they are, by reason.
    """

    sha256: str
    read: int = 0
    train: list[Record] = field(default_factory=list)
    held_out: list[Record] = field(default_factory=list)
    oversized: list[Oversized] = field(default_factory=list)
    without_views: list[int] = field(default_factory=list)
    longest_prompt: int = 0
    skipped: Counter[str] = field(default_factory=Counter)

    @property
    def dropped(self) -> dict[str, int]:
        """Dropped records by reason; reasons without a record are absent."""
        counts = {
            TOO_LONG: len(self.oversized),
            VIEWS_TOO_LONG: len(self.without_views),
            **self.skipped,
        }
        return {reason: count for reason, count in counts.items() if count}


def prepare(config: RunConfig, chat: Chat, progress: Callable[[int], None]) -> Dataset:
    """Read all records, drop those whose prompts are too long, and hold some out.

    Args:
        config: the run's configuration.
        chat: renders and tokenizes the prompts.
        progress: called with the number of records read so far.

    Raises:
        StudioError: a broken or missing file (`core.records`), `prompt_too_long` if no record
            fits, `too_few_records` if nothing is left to train on.
    """
    skipped: Counter[str] = Counter()
    source = obtain(config.data, training=True)
    records = read_records(source, skipped=skipped)
    dataset = Dataset(sha256="", skipped=skipped)
    limit = config.generation.max_prompt_length
    for record in records:
        tokens = chat.example(record).prompt_tokens
        dataset.read += 1
        if tokens > limit:
            dataset.oversized.append(Oversized(record.line, tokens))
        else:
            dataset.train.append(record)
            dataset.longest_prompt = max(dataset.longest_prompt, tokens)
        progress(dataset.read)
    if not dataset.train:
        raise _nothing_fits(dataset.oversized, limit)
    _hold_out(dataset, config.evaluation.examples)
    dataset.sha256 = file_sha256(data_file(source))
    return dataset


def _hold_out(dataset: Dataset, examples: int) -> None:
    """Move the last records in file order out of training: the same ones for every seed."""
    if examples >= len(dataset.train):
        raise mistake(
            "too_few_records",
            f"{examples} records are to be held out, but only {len(dataset.train)} are usable.",
            "Lower evaluation.examples, or add records.",
            field="evaluation.examples",
        )
    if examples:
        dataset.train, dataset.held_out = dataset.train[:-examples], dataset.train[-examples:]


def describe_dropped(dataset: Dataset, config: RunConfig) -> str:
    """Which records were dropped, why, and how to keep them."""
    limit, oversized = config.generation.max_prompt_length, dataset.oversized
    named = ", ".join(f"line {line} ({tokens} tokens)" for line, tokens in oversized[:NAMED_LINES])
    more = f" and {len(oversized) - NAMED_LINES} more" if len(oversized) > NAMED_LINES else ""
    longest = max(tokens for _, tokens in oversized)
    return (
        f"{len(oversized)} of {dataset.read} records were dropped: their longest prompt exceeds "
        f"generation.max_prompt_length = {limit} tokens: {named}{more}. "
        f"Raise generation.max_prompt_length to {longest} to keep them all."
    )


def check_context(
    config: RunConfig, dataset: Dataset, context: int | None, references: Iterable[int]
) -> None:
    """Raise `context_too_long` if a sequence needs more positions than the model has.

    Args:
        config: the run's configuration.
        dataset: the prepared records.
        context: positions the model knows, or None if it does not say.
        references: tokens of each held-out prompt with its reference completion.
    """
    longest = dataset.longest_prompt + config.generation.max_completion_length
    needed = max([longest, *references])
    if context is not None and needed > context:
        raise mistake(
            "context_too_long",
            f"The longest prompt has {dataset.longest_prompt} tokens, which with its completion "
            f"makes up to {needed}; the model's context holds {context}.",
            "Lower generation.max_completion_length or generation.max_prompt_length.",
            field="generation.max_completion_length",
        )


def _nothing_fits(oversized: list[Oversized], limit: int) -> Exception:
    shortest = min(oversized, key=lambda item: item.tokens)
    return mistake(
        TOO_LONG,
        f"No record fits: even the shortest, line {shortest.line}, needs {shortest.tokens} tokens "
        f"with its worked example, and generation.max_prompt_length is {limit}.",
        f"Raise generation.max_prompt_length to at least {shortest.tokens}, or shorten the "
        "records or teacher.template.",
        field="generation.max_prompt_length",
    )
