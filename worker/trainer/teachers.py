"""What the teacher views say about the sampled tokens, before the student's pass.

All views are the network behind other prompts, with the teacher's weights, so views of like length
share a forward pass, and what several of them begin with is computed once. Of the primary teacher
the hidden states are kept (N × H); of the others only the sampled token's log-probability.
"""

# ruff: noqa: N806, N815 - capital letters in tensor names are axes

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Final, NamedTuple

import torch
from torch import Tensor

from core.config import RunConfig
from core.views import Example
from worker.trainer.batching import like_lengths
from worker.trainer.layout import completion_hidden, lay_out, targets
from worker.trainer.model import Network
from worker.trainer.objective import Scoring, target_logprobs
from worker.trainer.prefixes import Before, Group, group_by_prefix, read

AGREEMENT_TEMPERATURE: Final = 1.0
PRIMARY: Final = -1
ROWS: Final = 2
"""Without a gradient, so many times the rows of a training batch go through the network at once."""


@dataclass(frozen=True)
class TeacherScores:
    """Per completion token of a batch, sequence after sequence.

    Attributes:
        hidden_NH: final hidden states of the primary teacher.
        auxiliary_KN: log-probabilities under the auxiliary teachers at temperature 1; K = 0 without
            agreement.
        negative_N: log-probabilities under the negative teacher at the rollout's temperature.
        has_negative: per sequence, whether it has a negative teacher.
        tokens: tokens that went through the network.
    """

    hidden_NH: Tensor
    auxiliary_KN: Tensor
    negative_N: Tensor
    has_negative: list[bool]
    tokens: int

    def part(self, sequences: slice, tokens: slice) -> TeacherScores:
        """The scores of some neighbouring sequences."""
        return TeacherScores(
            self.hidden_NH[tokens],
            self.auxiliary_KN[:, tokens],
            self.negative_N[tokens],
            self.has_negative[sequences],
            0,
        )


class _Job(NamedTuple):
    """A view of a sequence: `view` is −1 for the primary teacher, K for the negative one."""

    sequence: int
    view: int
    prompt: list[int]


def score_teachers(
    network: Network,
    config: RunConfig,
    examples: Sequence[Example],
    completions: Sequence[list[int]],
) -> TeacherScores:
    """Run all views of all sequences through the network, without gradient."""
    views = max((len(example.auxiliary) for example in examples), default=0)
    spans = _spans(completions)
    total = spans[-1].stop if spans else 0
    head_VH = network.head_VH
    hidden_NH = head_VH.new_empty(total, head_VH.shape[1])
    logprobs_VN = torch.full((views + 1, total), float("nan"), device=network.device)
    jobs = list(_jobs(examples, views))
    tokens = 0
    with network.teacher(config.teacher.weights):
        for chosen, parts, count in _passes(
            network, jobs, completions, ROWS * config.training.batch_size
        ):
            tokens += count
            for job, part_TH in zip(chosen, parts, strict=True):
                if job.view == PRIMARY:
                    hidden_NH[spans[job.sequence]] = part_TH
            heard = [(job, part) for job, part in zip(chosen, parts, strict=True) if job.view >= 0]
            # The negative teacher speaks at the rollout's temperature, the others at 1.
            for temperature, views_there in (
                (AGREEMENT_TEMPERATURE, range(views)),
                (config.generation.temperature, (views,)),
            ):
                some = [(job, part) for job, part in heard if job.view in views_there]
                for (job, _), values_T in zip(
                    some, _logprobs(network, some, completions, temperature), strict=True
                ):
                    logprobs_VN[job.view, spans[job.sequence]] = values_T
    return TeacherScores(
        hidden_NH,
        logprobs_VN[:views],
        logprobs_VN[views],
        [example.negative is not None for example in examples],
        tokens,
    )


class _Pass(NamedTuple):
    """Jobs that went through the network together.

    Attributes:
        jobs: which.
        parts: per job the hidden states (T, H) that predict its completion.
        tokens: tokens that went through the network for them.
    """

    jobs: list[_Job]
    parts: Sequence[Tensor]
    tokens: int


def _passes(
    network: Network, jobs: Sequence[_Job], completions: Sequence[list[int]], rows: int
) -> Iterator[_Pass]:
    """All jobs, in passes of like length. What prompts begin with is computed once for them."""
    longest = max((len(job.prompt) + len(completions[job.sequence]) for job in jobs), default=0)
    groups = [Group(list(range(len(jobs))), 0)]
    if network.shares_prefixes:
        groups = group_by_prefix([job.prompt for job in jobs])
    apart = [[group] for group in groups if not group.length]
    shared = sorted((group for group in groups if group.length), key=lambda group: group.length)
    # The keys and values of so many prefixes are held at a time as a pass has tokens.
    most = max(1, rows * longest // max((group.length for group in shared), default=1))
    together = [shared[start : start + most] for start in range(0, len(shared), most)]
    for some in [*apart, *together]:
        yield from _passes_of(network, some, jobs, completions, rows, longest)


def _passes_of(
    network: Network,
    groups: Sequence[Group],
    jobs: Sequence[_Job],
    completions: Sequence[list[int]],
    rows: int,
    longest: int,
) -> Iterator[_Pass]:
    """The jobs of some groups, after what each of these has in common."""
    members = [(row, jobs[index]) for row, group in enumerate(groups) for index in group.members]
    starts = [jobs[group.members[0]].prompt[: group.length] for group in groups]
    prefixes = read(network, starts, rows, longest) if starts[0] else None
    tokens = prefixes.tokens if prefixes else 0
    sizes = [
        len(job.prompt) - len(starts[row]) + len(completions[job.sequence]) for row, job in members
    ]
    for batch in like_lengths(sizes, rows, network.device.type, longest):
        chosen = [members[index] for index in batch]
        ids = [completions[job.sequence] for _, job in chosen]
        layout = lay_out([job.prompt[len(starts[row]) :] for row, job in chosen], ids, network)
        before = Before(prefixes, [row for row, _ in chosen]) if prefixes else None
        hidden_NH = completion_hidden(network, layout, before)
        parts = torch.split(hidden_NH, list(map(len, ids)))
        yield _Pass([job for _, job in chosen], parts, tokens + layout.tokens)
        tokens = 0


def _logprobs(
    network: Network,
    heard: Sequence[tuple[_Job, Tensor]],
    completions: Sequence[list[int]],
    temperature: float,
) -> Sequence[Tensor]:
    """Log-probabilities of the sampled tokens, per job, in one pass through the head."""
    if not heard:
        return []
    ids = [completions[job.sequence] for job, _ in heard]
    values_N = target_logprobs(
        torch.cat([part_TH for _, part_TH in heard]),
        network.head_VH,
        targets(ids, network.device),
        Scoring(temperature=temperature),
    )
    return torch.split(values_N.float(), list(map(len, ids)))


def _spans(completions: Sequence[list[int]]) -> list[slice]:
    """Where each sequence's tokens lie among all of them."""
    ends = list(accumulate(map(len, completions)))
    return [slice(end - len(ids), end) for end, ids in zip(ends, completions, strict=True)]


def _jobs(examples: Sequence[Example], views: int) -> Iterator[_Job]:
    for sequence, example in enumerate(examples):
        yield _Job(sequence, PRIMARY, example.teacher.ids)
        for view, auxiliary in enumerate(example.auxiliary):
            yield _Job(sequence, view, auxiliary.ids)
        if example.negative is not None:
            yield _Job(sequence, views, example.negative.ids)
