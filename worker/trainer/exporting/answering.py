"""Asks a model one prompt, greedily, and scores an answer: the same way for every kind of model."""

# ruff: noqa: N806 - capital letters in tensor names are axes

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import torch
from torch import Tensor
from transformers import DynamicCache

from worker.trainer.interrupt import Interrupt

ANSWER_TOKENS: Final = 32


@torch.no_grad()
def greedy_answer(
    model: Any,  # noqa: ANN401 - any causal model of transformers or peft
    prompt: Sequence[int],
    end_ids: Sequence[int],
    device: torch.device,
    interrupt: Interrupt,
) -> list[int]:
    """The likeliest token after the likeliest token, up to an end token.

    Raises:
        StopRequested: a stop was asked for.
    """
    answer: list[int] = []
    given, cache = list(prompt), DynamicCache(config=model.config)
    while len(answer) < ANSWER_TOKENS:
        interrupt.check()
        ids_BL = torch.tensor([given], device=device)
        output = model(input_ids=ids_BL, cache=cache, use_cache=True)
        token = int(output.logits[0, -1].float().argmax())
        answer.append(token)
        if token in end_ids:
            break
        given = [token]
    return answer


@torch.no_grad()
def answer_logprobs(
    model: Any,  # noqa: ANN401 - as above
    prompt: Sequence[int],
    answer: Sequence[int],
    device: torch.device,
) -> Tensor:
    """Log-probabilities (T, V) of every token at each place of an answer, float32 on the CPU."""
    ids_BL = torch.tensor([[*prompt, *answer[:-1]]], device=device)
    logits_LV = model(input_ids=ids_BL, use_cache=False).logits[0]
    return torch.log_softmax(logits_LV[len(prompt) - 1 :].float(), dim=-1).cpu()
