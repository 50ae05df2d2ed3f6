"""Samples the student's completions, on policy."""

# ruff: noqa: N806 - capital letters in tensor names are axes
# ruff: noqa: ANN401 - the classes of models and tokenizers differ from model to model

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import torch
from transformers import GenerationConfig, StoppingCriteria, StoppingCriteriaList

from core import config as settings
from worker.trainer.interrupt import Interrupt
from worker.trainer.model import Network
from worker.trainer.randomness import seeded


class Rollout(NamedTuple):
    """A sampled completion, its end token included."""

    ids: list[int]
    truncated: bool


class _StopOnRequest(StoppingCriteria):
    """Ends generation early after a signal; the unfinished rollouts are then thrown away."""

    def __init__(self, interrupt: Interrupt) -> None:
        self._interrupt = interrupt

    def __call__(
        self,
        input_ids: torch.Tensor,
        scores: Any,  # noqa: ARG002
        **kwargs: Any,  # noqa: ARG002
    ) -> Any:
        return torch.full((len(input_ids),), self._interrupt.requested, device=input_ids.device)


def sample(
    network: Network,
    prompts: Sequence[list[int]],
    how: settings.GenerationConfig,
    seed: int,
    interrupt: Interrupt,
) -> list[Rollout]:
    """Sample one completion per prompt, without dropout.

    Args:
        network: the student.
        prompts: token ids, one list per sequence.
        how: temperature, nucleus, top-k and longest completion.
        seed: seed of this batch's sampling.
        interrupt: looked at after every token.

    Returns:
        Rollouts in the order of the prompts; each has at least one token.

    Raises:
        StopRequested: a stop was asked for before all were finished.
    """
    network.peft.eval()
    ids_BP, mask_BP = _left_padded(prompts, network)
    with torch.no_grad(), seeded(seed, network.device):
        output_BL = network.causal.generate(
            input_ids=ids_BP,
            attention_mask=mask_BP,
            generation_config=_generation_config(network, how),
            stopping_criteria=StoppingCriteriaList([_StopOnRequest(interrupt)]),
        )
    interrupt.check()
    rows = output_BL[:, ids_BP.shape[1] :].tolist()
    return [_up_to_end(row, network.end_ids) for row in rows]


def _generation_config(network: Network, how: settings.GenerationConfig) -> GenerationConfig:
    return GenerationConfig(  # type: ignore[no-untyped-call]
        do_sample=True,
        temperature=how.temperature,
        top_p=how.top_p,
        top_k=how.top_k,
        max_new_tokens=how.max_completion_length,
        eos_token_id=list(network.end_ids),
        pad_token_id=network.pad_id,
        use_cache=True,
        # Logits that are not finite must not break sampling (on a GPU the whole process): the pass
        # that scores the tokens meets them again and ends the run with `loss_not_finite`.
        remove_invalid_values=True,
    )


def _left_padded(
    prompts: Sequence[list[int]], network: Network
) -> tuple[torch.Tensor, torch.Tensor]:
    """Prompts side by side, ending together, as generation needs them."""
    width = max(map(len, prompts))
    ids = [[network.pad_id] * (width - len(prompt)) + prompt for prompt in prompts]
    mask = [[0] * (width - len(prompt)) + [1] * len(prompt) for prompt in prompts]
    return (
        torch.tensor(ids, device=network.device),
        torch.tensor(mask, device=network.device),
    )


def _up_to_end(row: list[int], end_ids: tuple[int, ...]) -> Rollout:
    """Cut the filler after the first end token; without one the rollout is truncated."""
    ends = [index for index, token in enumerate(row) if token in end_ids]
    return Rollout(row[: ends[0] + 1], truncated=False) if ends else Rollout(row, truncated=True)
