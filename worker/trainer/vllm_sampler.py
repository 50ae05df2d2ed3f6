"""Samples with vLLM (optional extra `vllm`, CUDA only); it is handed the adapter before each batch.

vLLM keeps weights of its own, so the base is in memory twice. Written for vLLM 0.11 to 0.19.
"""

from __future__ import annotations

import importlib
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from core.config import RunConfig
from worker.trainer.failures import mistake
from worker.trainer.hub import locate_model
from worker.trainer.interrupt import Interrupt
from worker.trainer.model import STUDENT, Network
from worker.trainer.rollout import Finished, Rollout, Sampling

MEMORY_SHARE: Final = 0.3
"""Of the GPU's memory, for vLLM's weights and cache; the trainer needs the rest."""


class VllmSampler:
    """An engine beside the trainer.

    Args:
        network: the student, whose adapter is handed over whenever it has moved.
        config: the run's configuration.
        interrupt: looked at between batches; a batch under way is finished.

    Raises:
        StudioError: `vllm_unavailable`.
    """

    def __init__(self, network: Network, config: RunConfig, interrupt: Interrupt) -> None:
        self._network = network
        self._interrupt = interrupt
        self._version = 0
        self._folder = tempfile.TemporaryDirectory(prefix="unisd-vllm-")
        vllm = _vllm(network)
        self._parameters: Any = vllm.SamplingParams
        self._request: Any = importlib.import_module("vllm.lora.request").LoRARequest
        generation = config.generation
        self._engine: Any = vllm.LLM(
            model=locate_model(config.model).location,
            revision=config.model.revision,
            enable_lora=True,
            max_lora_rank=max(8, config.model.lora.rank),
            max_model_len=generation.max_prompt_length + generation.max_completion_length,
            gpu_memory_utilization=MEMORY_SHARE,
            trust_remote_code=False,
        )

    def sample(
        self,
        prompts: Sequence[list[int]],
        how: Sampling,
        seeds: Sequence[int],
        finished: Finished | None = None,
    ) -> list[Rollout]:
        """One completion per prompt, sampled with the student as it is now."""
        self._interrupt.check()
        outputs = self._engine.generate(
            [{"prompt_token_ids": prompt} for prompt in prompts],
            [self._how(how, seed) for seed in seeds],
            lora_request=self._adapter(),
            use_tqdm=False,
        )
        completions = [list(output.outputs[0].token_ids) for output in outputs]
        rollouts = [Rollout(ids, ids[-1] not in self._network.end_ids) for ids in completions]
        if finished is not None:
            finished(range(len(prompts)), rollouts)
        return rollouts

    def _how(self, how: Sampling, seed: int) -> Any:  # noqa: ANN401 - a class of vLLM
        return self._parameters(
            temperature=how.temperature,
            top_p=how.top_p,
            top_k=how.top_k or -1,
            max_tokens=how.max_tokens,
            stop_token_ids=list(self._network.end_ids),
            seed=seed % 2**31,
        )

    def _adapter(self) -> Any:  # noqa: ANN401 - a class of vLLM
        """The student's adapter as vLLM loads it: a folder, new for every version."""
        self._version += 1
        folder = Path(self._folder.name) / str(self._version)
        self._network.peft.save_pretrained(
            str(folder), save_embedding_layers=False, selected_adapters=[STUDENT]
        )
        return self._request(f"student-{self._version}", self._version, str(folder))


def _vllm(network: Network) -> Any:  # noqa: ANN401 - a module that may be absent
    if network.device.type != "cuda":
        raise mistake(
            "vllm_unavailable",
            f"vLLM samples on CUDA, and this run is on {network.device.type}.",
            "Set generation.backend to transformers.",
            field="generation.backend",
        )
    try:
        return importlib.import_module("vllm")
    except ImportError as error:
        raise mistake(
            "vllm_unavailable",
            f"vLLM cannot be imported: {error}.",
            "Install the extra: pip install 'unisd-studio[vllm]', or set generation.backend to "
            "transformers.",
            field="generation.backend",
        ) from error
