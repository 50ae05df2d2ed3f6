"""Chooses what samples the rollouts."""

from __future__ import annotations

from core.config import RunConfig
from worker.trainer.interrupt import Interrupt
from worker.trainer.model import Network
from worker.trainer.rollout import Sampler, TransformersSampler
from worker.trainer.vllm_sampler import VllmSampler


def make_sampler(network: Network, config: RunConfig, interrupt: Interrupt) -> Sampler:
    """The sampler that `generation.backend` names.

    Raises:
        StudioError: `vllm_unavailable`.
    """
    if config.generation.backend == "vllm":
        return VllmSampler(network, config, interrupt)
    return TransformersSampler(network, interrupt, config.generation.batch_size)
