"""What a model has kept of its base: the same tokens, scored by both.

Teacher-forced and at temperature 1, on the same prompts (`method`, section 7). Per-token JSD is
symmetric (α = ½), so at most ln 2.
"""

# ruff: noqa: N806 - capital letters in tensor names are axes

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import torch

from worker.trainer.batching import like_lengths
from worker.trainer.interrupt import Interrupt
from worker.trainer.layout import completion_hidden, lay_out, targets
from worker.trainer.model import Network
from worker.trainer.objective import Scoring, score_tokens


class Comparison(NamedTuple):
    """Tuned model and base on the tokens of one completion; all lists have its length.

    Attributes:
        tuned: log-probability of each token under the tuned model, nats.
        base: the same under the base.
        jsd: divergence of the two next-token distributions, nats.
    """

    tuned: list[float]
    base: list[float]
    jsd: list[float]


@torch.no_grad()
def compare(
    network: Network,
    prompts: Sequence[list[int]],
    completions: Sequence[list[int]],
    batch_size: int,
    interrupt: Interrupt,
) -> Iterator[tuple[int, Comparison]]:
    """Compare both models on given completions.

    Args:
        network: the tuned model as adapter `student` on its base.
        prompts: token ids.
        completions: token ids; none of them empty.
        batch_size: sequences side by side.
        interrupt: looked at before each batch.

    Yields:
        Index and comparison, batch after batch of like lengths.
    """
    if not prompts:
        return
    lengths = [len(prompt) + len(ids) for prompt, ids in zip(prompts, completions, strict=True)]
    for batch in like_lengths(lengths, batch_size, network.device.type):
        interrupt.check()
        ids = [completions[index] for index in batch]
        layout = lay_out([prompts[index] for index in batch], ids, network)
        with network.teacher("base"):
            base_NH = completion_hidden(network, layout)
        with network.teacher("student"):
            tuned_NH = completion_hidden(network, layout)
        scores = score_tokens(
            tuned_NH, base_NH, network.head_VH, targets(ids, network.device), Scoring(alpha=0.5)
        )
        values = (scores.student_logprob_N, scores.teacher_logprob_N, scores.divergence_N)
        sizes = [len(one) for one in ids]
        parts = [torch.split(value.double().cpu(), sizes) for value in values]
        for place, index in enumerate(batch):
            yield index, Comparison(*(part[place].tolist() for part in parts))
