"""Generates the answers of all columns together, a token of each in turn.

Each column is a batch of its own, with its own cache, so what it says does not depend on what
stands beside it. Sampled as rollouts are: each answer has its own stream of random numbers.
"""

# ruff: noqa: N806, N815 - capital letters in tensor names are axes

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor
from transformers import StaticCache

from core.generation_job import ALTERNATIVES, Alternative, End, GenerationJob, JobColumn, TokenTold
from core.prompts import Message
from core.record import Record
from worker.trainer.chat import render
from worker.trainer.failures import failure, mistake
from worker.trainer.generation.warm import Adapter, WarmModel
from worker.trainer.model import Network
from worker.trainer.randomness import derive_seed
from worker.trainer.rollout import (
    Sampling,
    choose,
    left_padded,
    next_logits,
    uniform_numbers,
)
from worker.trainer.token_text import REPLACEMENT, decode


class Pieces:
    """Texts of an answer's tokens as they come: put together they are its text.

    A character may be spread over several byte tokens: the last of them gets it. Only the last few
    tokens are decoded anew, so a long answer costs no more per token than a short one.
    """

    def __init__(self, tokenizer: Any) -> None:  # noqa: ANN401 - as in `token_text`
        self._tokenizer = tokenizer
        self._ids: list[int] = []
        self._before = self._told = 0

    def add(self, token: int, *, last: bool) -> str:
        """The text that a token adds; what is left of a broken character comes with the last."""
        self._ids.append(token)
        known = decode(self._tokenizer, self._ids[self._before : self._told])
        whole = decode(self._tokenizer, self._ids[self._before :])
        if whole.endswith(REPLACEMENT) and not last:
            return ""
        piece = whole[len(known) :]
        self._before, self._told = self._told, len(self._ids)
        return piece


@dataclass
class Prompt:
    """A column's prompt as its model reads it."""

    text: str
    ids: list[int]


def write_prompts(warm: WarmModel, job: GenerationJob) -> list[Prompt]:
    """The prompts of all columns.

    Raises:
        StudioError: the chat template refuses one, or one leaves no room for an answer.
    """
    prompts = []
    for column in job.columns:
        text = column.text if column.text is not None else _written(warm, column)
        ids = list(warm.tokenizer(text, add_special_tokens=False)["input_ids"])
        if not ids or (warm.context is not None and len(ids) >= warm.context):
            raise mistake(
                "context_too_long",
                f"The prompt has {len(ids)} tokens; the model's context holds {warm.context}.",
                "Shorten it: an answer needs room too.",
                field="prompt",
            )
        prompts.append(Prompt(text, ids))
    return prompts


def _written(warm: WarmModel, column: JobColumn) -> str:
    messages = [Message(role=one.role, content=one.content) for one in column.messages]
    record = Record(id="prompt", line=1, prompt=messages[-1]["content"], answer="-")
    return render(warm.tokenizer, messages, record)


@dataclass
class Voice:
    """A column while it speaks: a batch of samples of one prompt."""

    place: int
    adapter: Adapter | None
    chance_BT: Tensor
    mask_BL: Tensor
    cache: Any
    step_ids: Tensor
    positions: Tensor
    pieces: list[Pieces]
    limit: int
    ended: list[bool] = field(default_factory=list)
    said: int = 0

    @property
    def over(self) -> bool:
        """Whether all of its answers have ended."""
        return all(self.ended)


def speak(
    warm: WarmModel,
    job: GenerationJob,
    prompts: Sequence[Prompt],
    adapters: Sequence[Adapter | None],
    tell: Callable[[list[TokenTold]], None],
    cancelled: Callable[[], bool],
) -> bool:
    """Generate all answers, and tell of each token as it comes.

    Returns:
        Whether they are whole; False: it was cancelled.

    Raises:
        StudioError: `weights_not_finite`.
    """
    sampled = job.sampled
    how = Sampling(sampled.temperature, sampled.top_p, 0, sampled.max_tokens)
    voices = [
        _voice(warm, place, prompt, adapter, job)
        for place, (prompt, adapter) in enumerate(zip(prompts, adapters, strict=True))
    ]
    with torch.no_grad():
        while open_voices := [voice for voice in voices if not voice.over]:
            for voice in open_voices:
                if cancelled():
                    return False
                warm.speak_as(voice.adapter)
                tell(_next_tokens(warm, voice, how))
    return True


def _voice(
    warm: WarmModel, place: int, prompt: Prompt, adapter: Adapter | None, job: GenerationJob
) -> Voice:
    network, sampled = warm.network, job.sampled
    room = sampled.max_tokens if warm.context is None else warm.context - len(prompt.ids)
    limit = min(sampled.max_tokens, room)
    # The stream of a sample is the same in every column.
    seeds = [derive_seed(sampled.seed, "side by side", n) for n in range(sampled.samples)]
    ids, mask_BL, positions = left_padded([prompt.ids] * sampled.samples, network, limit)
    return Voice(
        place=place,
        adapter=adapter,
        chance_BT=uniform_numbers(seeds, limit),
        mask_BL=mask_BL,
        cache=StaticCache(config=network.causal.config, max_cache_len=mask_BL.shape[1]),
        step_ids=ids,
        positions=positions,
        pieces=[Pieces(warm.tokenizer) for _ in seeds],
        limit=limit,
        ended=[False for _ in seeds],
    )


def _next_tokens(warm: WarmModel, voice: Voice, how: Sampling) -> list[TokenTold]:
    network = warm.network
    logits_BV = next_logits(network, voice.step_ids, voice.mask_BL, voice.positions, voice.cache)
    logprobs_BV = torch.log_softmax(logits_BV, -1)
    top = logprobs_BV.topk(min(ALTERNATIVES, logprobs_BV.shape[-1]), -1)
    chosen_B = choose(logits_BV, how, voice.chance_BT[:, voice.said])
    picked_B = logprobs_BV.gather(1, chosen_B[:, None])[:, 0]
    if not bool(torch.isfinite(picked_B).all()):
        raise failure(
            "weights_not_finite",
            "These weights give no probabilities: some of them are not finite.",
            "Choose a checkpoint of before the run diverged.",
        )
    voice.said += 1
    voice.step_ids, voice.positions = chosen_B[:, None], voice.positions[:, -1:] + 1
    rows = zip(
        chosen_B.tolist(),
        picked_B.tolist(),
        top.indices.tolist(),
        top.values.tolist(),
        strict=True,
    )
    return [
        _told(warm, voice, sample, token, logprob, list(zip(ids, values, strict=True)))
        for sample, (token, logprob, ids, values) in enumerate(rows)
        if not voice.ended[sample]
    ]


def _told(
    warm: WarmModel,
    voice: Voice,
    sample: int,
    token: int,
    logprob: float,
    top: list[tuple[int, float]],
) -> TokenTold:
    end = _end(warm.network, voice, token)
    voice.ended[sample] = end is not None
    return TokenTold(
        column=voice.place,
        sample=sample,
        id=token,
        piece=voice.pieces[sample].add(token, last=end is not None),
        logprob=logprob,
        top=tuple(
            Alternative(id=one, piece=decode(warm.tokenizer, [one]), logprob=max(value, -1e9))
            for one, value in top
        ),
        end=end,
    )


def _end(network: Network, voice: Voice, token: int) -> End | None:
    if token in network.end_ids:
        return "end"
    return "length" if voice.said >= voice.limit else None
