"""Samples completions. Each has random numbers of its own, so batching does not change it."""

# ruff: noqa: N803, N806 - capital letters in tensor names are axes

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any, Final, Literal, NamedTuple, Protocol

import torch
from torch import Tensor
from transformers import StaticCache, TopKLogitsWarper, TopPLogitsWarper

from core.config import GenerationConfig
from worker.trainer.interrupt import Interrupt
from worker.trainer.memory import fits
from worker.trainer.model import Network, base_weight

BLOCK: Final = 256
"""Tokens whose probabilities are summed before a sample is looked up among them."""


class Rollout(NamedTuple):
    """A sampled completion, its end token included."""

    ids: list[int]
    truncated: bool


class Sampling(NamedTuple):
    """How tokens are drawn.

    Attributes:
        temperature: 0 takes the likeliest token.
        top_p: nucleus; 1 for all tokens.
        top_k: likeliest tokens; 0 for all.
        max_tokens: longest completion.
    """

    temperature: float
    top_p: float
    top_k: int
    max_tokens: int

    @classmethod
    def of(cls, config: GenerationConfig) -> Sampling:
        """As a run's configuration says."""
        return cls(config.temperature, config.top_p, config.top_k, config.max_completion_length)


Finished = Callable[[Sequence[int], Sequence[Rollout]], None]
"""Told of each batch: which prompts, and their completions."""


class Sampler(Protocol):
    """What samples: transformers here, or another engine that is handed the adapter."""

    def sample(
        self,
        prompts: Sequence[list[int]],
        how: Sampling,
        seeds: Sequence[int],
        finished: Finished | None = None,
    ) -> list[Rollout]:
        """One completion per prompt, in their order; each has at least one token.

        Args:
            prompts: token ids.
            how: temperature, truncation, length.
            seeds: one for each prompt.
            finished: called after each batch.

        Raises:
            StopRequested: a stop was asked for before all were finished.
        """
        ...


class TransformersSampler:
    """Samples with the network itself: static cache, and the adapter folded.

    Args:
        network: student and base.
        interrupt: looked at after every token.
        batch_size: sequences side by side; None for all.
        weights: whose completions: `student` or `base`.
    """

    def __init__(
        self,
        network: Network,
        interrupt: Interrupt,
        batch_size: int | None = None,
        weights: Literal["student", "base"] = "student",
    ) -> None:
        self._of = weights
        self._network = network
        self._interrupt = interrupt
        self._batch_size = batch_size

    def sample(
        self,
        prompts: Sequence[list[int]],
        how: Sampling,
        seeds: Sequence[int],
        finished: Finished | None = None,
    ) -> list[Rollout]:
        """Sample without dropout. Prompts of like length share a batch."""
        network = self._network
        order = sorted(range(len(prompts)), key=lambda index: len(prompts[index]))
        rollouts: dict[int, Rollout] = {}
        with network.teacher(self._of), self._weights():
            for batch in _batches(order, self._batch_size or len(prompts)):
                sampled = _sample_batch(
                    network,
                    [prompts[index] for index in batch],
                    how,
                    [seeds[index] for index in batch],
                    self._interrupt,
                )
                rollouts |= zip(batch, sampled, strict=True)
                if finished is not None:
                    finished(batch, sampled)
        return [rollouts[index] for index in range(len(prompts))]

    def _weights(self) -> AbstractContextManager[None]:
        """Folding costs a copy of the adapted weights while sampling; it must fit."""
        weights = [base_weight(layer) for layer in self._network.layers]
        copy = sum(weight.numel() * weight.element_size() for weight in weights)
        network = self._network
        return network.folded(self._of) if fits(copy, network.device) else nullcontext()


def _batches(order: Sequence[int], size: int) -> Iterator[Sequence[int]]:
    for start in range(0, len(order), size):
        yield order[start : start + size]


def _sample_batch(
    network: Network,
    prompts: Sequence[list[int]],
    how: Sampling,
    seeds: Sequence[int],
    interrupt: Interrupt,
) -> list[Rollout]:
    """Token after token; rows that have ended leave the batch when half of them have."""
    chance_BT = uniform_numbers(seeds, how.max_tokens)
    ids_BP, mask_BL, position_BP = left_padded(prompts, network, how.max_tokens)
    cache = StaticCache(config=network.causal.config, max_cache_len=mask_BL.shape[1])
    completions: list[list[int]] = [[] for _ in prompts]
    rows = list(range(len(prompts)))  # which prompt each row of the batch belongs to
    step_ids, positions = ids_BP, position_BP
    for t in range(how.max_tokens):
        interrupt.check()
        logits_RV = next_logits(network, step_ids, mask_BL, positions, cache)
        chosen_R = choose(logits_RV, how, chance_BT[rows, t])
        for row, token in zip(rows, chosen_R.tolist(), strict=True):
            if not _ended(completions[row], network):
                completions[row].append(token)
        alive = [i for i, row in enumerate(rows) if not _ended(completions[row], network)]
        if not alive:
            break
        positions = positions[:, -1:] + 1
        step_ids = chosen_R[:, None]
        if len(alive) <= len(rows) // 2:
            keep = torch.tensor(alive, device=network.device)
            _keep_rows(cache, keep)
            mask_BL, positions, step_ids = mask_BL[keep], positions[keep], step_ids[keep]
            rows = [rows[i] for i in alive]
    return [Rollout(ids, not _ended(ids, network)) for ids in completions]


def _keep_rows(cache: StaticCache, rows: Tensor) -> None:
    """Take rows out of the batch: what has ended need not be computed on."""
    layers: list[Any] = cache.layers
    for layer in layers:
        layer.keys, layer.values = layer.keys[rows], layer.values[rows]


def _ended(ids: list[int], network: Network) -> bool:
    return bool(ids) and ids[-1] in network.end_ids


def next_logits(
    network: Network, ids: Tensor, mask_BL: Tensor, positions: Tensor, cache: StaticCache
) -> Tensor:
    """Logits (B, V) of the next token in float32."""
    output = network.causal.base_model(
        input_ids=ids, attention_mask=mask_BL, position_ids=positions, cache=cache, use_cache=True
    )
    hidden_BH = output.last_hidden_state[:, -1]
    logits_BV: Tensor = (hidden_BH @ network.head_VH.T).float()
    return logits_BV


def choose(logits_BV: Tensor, how: Sampling, chance_B: Tensor) -> Tensor:
    """Draw a token per row by inverting the cumulative distribution.

    Args:
        logits_BV: float32; overwritten.
        how: temperature and truncation.
        chance_B: a uniform number in [0, 1) per row, float64.

    Returns:
        Token ids (B,). Much faster than `torch.multinomial`, which draws a number per token of the
        vocabulary, and the same whatever else is in the batch.
    """
    if how.temperature == 0:
        return torch.nan_to_num_(logits_BV).argmax(-1)
    # Logits that are not finite must not break sampling (on a GPU the whole process): the pass that
    # scores the tokens meets them again and ends the run with `loss_not_finite`.
    scores_BV = torch.nan_to_num_(logits_BV).div_(how.temperature)
    empty = torch.empty(0, device=logits_BV.device)
    if how.top_k:
        scores_BV = TopKLogitsWarper(how.top_k)(empty, scores_BV)
    if how.top_p < 1:
        scores_BV = TopPLogitsWarper(how.top_p)(empty, scores_BV)
    B, V = scores_BV.shape
    chances_BV = torch.softmax(scores_BV, -1)
    if V % BLOCK:
        chances_BV = torch.nn.functional.pad(chances_BV, (0, -V % BLOCK))
    blocks_BNK = chances_BV.view(B, -1, BLOCK)
    sums_BN = blocks_BNK.sum(-1).double()
    ends_BN = sums_BN.cumsum(-1)
    aim_B1 = chance_B.to(ends_BN.device)[:, None] * ends_BN[:, -1:]
    block_B1 = torch.searchsorted(ends_BN, aim_B1, right=True).clamp_max(ends_BN.shape[1] - 1)
    before_B1 = (ends_BN - sums_BN).gather(1, block_B1)
    inside_BK = blocks_BNK[torch.arange(B, device=ends_BN.device), block_B1[:, 0]].double()
    place_B1 = torch.searchsorted(inside_BK.cumsum(-1), aim_B1 - before_B1, right=True)
    # Rounding may aim past the last token of the block that can be drawn at all.
    last_B1 = BLOCK - 1 - (inside_BK > 0).flip(-1).to(torch.int64).argmax(-1, keepdim=True)
    return (block_B1 * BLOCK + torch.minimum(place_B1, last_B1))[:, 0]


def uniform_numbers(seeds: Sequence[int], tokens: int) -> Tensor:
    """(B, T) uniform numbers, a stream per row."""
    rows = [
        torch.rand(tokens, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
        for seed in seeds
    ]
    return torch.stack(rows)


def left_padded(
    prompts: Sequence[list[int]], network: Network, more: int
) -> tuple[Tensor, Tensor, Tensor]:
    """Prompts side by side, ending together; mask of prompt and completion; positions."""
    width = max(map(len, prompts))
    ids = [[network.pad_id] * (width - len(prompt)) + prompt for prompt in prompts]
    mask = [[0] * (width - len(prompt)) + [1] * (len(prompt) + more) for prompt in prompts]
    ids_BP = torch.tensor(ids, device=network.device)
    mask_BL = torch.tensor(mask, device=network.device)
    positions = (mask_BL.cumsum(-1) - 1).clamp_min(0)[:, :width]
    return ids_BP, mask_BL, positions
