"""Fit to the references of held-out records, teacher-forced, without any sampling."""

# ruff: noqa: N806 - capital letters in tensor names are axes

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

import torch

from core.record import Record
from worker.trainer.chat import Chat
from worker.trainer.layout import completion_hidden, lay_out, targets
from worker.trainer.model import Network
from worker.trainer.objective import Scoring, target_logprobs


class Reference(NamedTuple):
    """A held-out record as token ids: the student's prompt and the reference completion."""

    prompt: list[int]
    completion: list[int]


def references(records: Sequence[Record], chat: Chat, end_id: int) -> list[Reference]:
    """Tokenize held-out records; each completion ends with the end token."""
    return [
        Reference(chat.example(record).student.ids, [*chat.reference(record), end_id])
        for record in records
    ]


@torch.no_grad()
def reference_fit(
    network: Network,
    held_out: Sequence[Reference],
    batch_size: int,
    progress: Callable[[int], None],
) -> dict[str, float]:
    """Negative log-likelihood of the references under the student at temperature 1.

    Args:
        network: the student.
        held_out: references; at least one.
        batch_size: sequences per forward pass.
        progress: called with the number of references scored so far.

    Returns:
        `eval/reference/nll`, the mean over all reference tokens in nats, and its exponential
        `eval/reference/perplexity`.
    """
    was_training = network.peft.training
    network.peft.eval()
    total, tokens = 0.0, 0
    for start in range(0, len(held_out), batch_size):
        batch = held_out[start : start + batch_size]
        completions = [reference.completion for reference in batch]
        layout = lay_out([reference.prompt for reference in batch], completions, network)
        target_N = targets(completions, network.device)
        logprob_N = target_logprobs(
            completion_hidden(network, layout), network.head_VH, target_N, Scoring()
        )
        total -= float(logprob_N.double().sum())
        tokens += len(target_N)
        progress(start + len(batch))
    network.peft.train(was_training)
    nll = total / tokens
    perplexity = math.exp(nll) if nll < 700 else math.inf
    return {"eval/reference/nll": nll, "eval/reference/perplexity": perplexity}
