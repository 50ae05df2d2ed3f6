"""The model that an export is of, as the trainer knows it, and what it answers."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from core.config import ModelConfig
from core.export_job import ExportJob
from core.prompts import Message
from worker.trainer.adapter import load_adapter, shape_of
from worker.trainer.chat import Chat, load_tokenizer
from worker.trainer.exporting.answering import answer_logprobs, greedy_answer
from worker.trainer.failures import failure
from worker.trainer.interrupt import Interrupt
from worker.trainer.model import Network, load_network


@dataclass(frozen=True)
class Original:
    """The student (or EMA teacher) on its base.

    Attributes:
        model: the base, with the adapter's shape.
    """

    network: Network
    model: ModelConfig
    tokenizer: Any
    dtype: torch.dtype


@dataclass(frozen=True)
class Reference:
    """What the original says.

    Attributes:
        prompt: token ids.
        answer: token ids of the greedy answer.
        logprobs: (T, V) of the original at the answer's places.
        base_difference: mean difference to the base on the answer's tokens, nats.
    """

    prompt: list[int]
    answer: list[int]
    logprobs: Tensor
    base_difference: float
    end_ids: tuple[int, ...]


def load_original(job: ExportJob, device: torch.device, dtype: torch.dtype) -> Original:
    """Load base and adapter.

    Raises:
        StudioError: they are not there, or do not fit.
    """
    folder = Path(job.adapter).expanduser()
    # Exports are for other programs: weights in full, whatever saved memory while training.
    plain = job.model.model_copy(update={"quantization": "none"})
    model = shape_of(folder, plain)
    tokenizer = load_tokenizer(model)
    network = load_network(model, tokenizer, device, dtype, seed=0)
    load_adapter(network, folder, job.weights)
    return Original(network, model, tokenizer, dtype)


def ask_original(original: Original, job: ExportJob, interrupt: Interrupt) -> Reference:
    """Ask the prompt, and score the answer with and without the adapter.

    Raises:
        StudioError: `weights_not_finite`.
        StopRequested: a stop was asked for.
    """
    messages = [Message(role="user", content=job.prompt)]
    if job.config.data.system_prompt:
        messages.insert(0, Message(role="system", content=job.config.data.system_prompt))
    network = original.network
    prompt = Chat(original.tokenizer, job.config).conversation(messages)
    with network.teacher("student"):
        answer = greedy_answer(network.causal, prompt, network.end_ids, network.device, interrupt)
        own = answer_logprobs(network.causal, prompt, answer, network.device)
    with network.teacher("base"):
        base = answer_logprobs(network.causal, prompt, answer, network.device)
    difference = float((_of(own, answer) - _of(base, answer)).abs().mean())
    if not math.isfinite(difference):
        raise failure(
            "weights_not_finite",
            "The run's weights give no probabilities: some of them are not finite.",
            "Export a checkpoint of before the run diverged.",
        )
    return Reference(prompt, answer, own, difference, network.end_ids)


def _of(logprobs: Tensor, answer: list[int]) -> Tensor:
    return logprobs.gather(1, torch.tensor(answer)[:, None])[:, 0]
