"""Loads exported files as anybody would, and compares the answer with the original's."""

# ruff: noqa: ANN401 - the classes of models differ from model to model

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any, Final, NamedTuple

import torch
from peft import PeftModel
from safetensors import SafetensorError
from transformers import AutoModelForCausalLM, GenerationConfig

from core.config import ModelConfig
from core.export_job import ExportCheck, ExportJob
from worker.trainer.chat import model_not_loaded
from worker.trainer.exporting.answering import answer_logprobs, greedy_answer
from worker.trainer.exporting.original import Reference
from worker.trainer.failures import failure
from worker.trainer.hub import locate_model
from worker.trainer.interrupt import Interrupt
from worker.trainer.token_text import decode

_EXACT: Final = 1e-3
"""Nats: other orders of the same sums, in float32."""
_HALF: Final = 0.05
"""Nats: activations in bfloat16 round differently wherever sums are ordered differently."""
_ROUNDED: Final = 0.05
"""Nats: weights rounded to 16 bits."""
_EIGHT_BITS: Final = 0.2
"""Nats: weights rounded to 8 bits."""


class Loaded(NamedTuple):
    """The exported thing in memory.

    Attributes:
        stored: number format of its weights in the files.
    """

    model: Any
    library: str
    stored: torch.dtype


def load_exported(
    job: ExportJob,
    folder: Path,
    model: ModelConfig,
    stored: torch.dtype,
    on: tuple[torch.device, torch.dtype],
) -> Loaded:
    """Load the files of `folder` with the library that people would use.

    Args:
        job: says what the files are.
        folder: holds them.
        model: the base.
        stored: number format of the weights in the files.
        on: where and in which format to compute.

    Raises:
        StudioError: `export_unloadable`.
    """
    device, dtype = on
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)
            if job.content in {"adapter", "ema_adapter"}:
                return Loaded(_adapter(folder, model, device, dtype), "peft", stored)
            options = {}
            if job.content == "gguf":
                options["gguf_file"] = next(folder.glob("*.gguf")).name
            loaded: Any = AutoModelForCausalLM.from_pretrained(
                folder, dtype=dtype, trust_remote_code=False, **options
            )
    except (OSError, ValueError, KeyError, RuntimeError, SafetensorError, ImportError) as error:
        raise failure(
            "export_unloadable",
            f"The exported files were made but cannot be loaded: {_brief(error)}.",
            "Nothing was kept. If this is a GGUF file, transformers may not know the "
            "architecture's GGUF form; export the merged model and convert it by hand.",
        ) from error
    loaded.to(device).eval()
    return Loaded(loaded, "transformers", stored)


def _adapter(folder: Path, model: ModelConfig, device: torch.device, dtype: torch.dtype) -> Any:
    source = locate_model(model)
    try:
        base: Any = AutoModelForCausalLM.from_pretrained(
            source.location,
            revision=model.revision or "main",
            dtype=dtype,
            use_safetensors=True,
            trust_remote_code=False,
        )
    except (OSError, ValueError, KeyError, RuntimeError, SafetensorError) as error:
        raise model_not_loaded("model", source, error) from error
    base.generation_config = GenerationConfig()  # type: ignore[no-untyped-call]
    return PeftModel.from_pretrained(base, str(folder)).to(device).eval()


def compare(
    job: ExportJob,
    reference: Reference,
    loaded: Loaded,
    tokenizer: Any,
    on: tuple[torch.device, torch.dtype],
    interrupt: Interrupt,
) -> ExportCheck:
    """Ask the exported thing, and tell how its answer and its probabilities compare.

    It passes if the log-probabilities of the original's tokens differ by no more than the
    tolerance on average, and if both answers are the same or part where the original itself was
    undecided within the tolerance.

    Raises:
        StudioError: `export_check_failed`: what was exported gives no probabilities at all.
        StopRequested: a stop was asked for.
    """
    model, (device, dtype) = loaded.model, on
    answer = greedy_answer(model, reference.prompt, reference.end_ids, device, interrupt)
    theirs = answer_logprobs(model, reference.prompt, reference.answer, device)
    places = torch.tensor(reference.answer)[:, None]
    gaps = (theirs - reference.logprobs).gather(1, places)[:, 0].abs()
    if not bool(torch.isfinite(gaps).all()):
        raise failure(
            "export_check_failed",
            "The exported files were loaded but give no probabilities: their numbers are not "
            "finite.",
            "Nothing was kept. In a GGUF file of 16 bits large weights overflow: choose BF16.",
        )
    same = _same(reference.answer, answer)
    allowed = tolerance(job, dtype, loaded.stored)
    reason = _reason(reference, answer, same, float(gaps.mean()), allowed)
    return ExportCheck(
        passed=not reason,
        loaded_with=loaded.library,
        dtype=str(dtype).removeprefix("torch."),
        prompt=job.prompt,
        answer=decode(tokenizer, reference.answer, special=False),
        exported_answer=decode(tokenizer, answer, special=False),
        tokens=len(reference.answer),
        same_tokens=same,
        mean_difference=float(gaps.mean()),
        largest_difference=float(gaps.max()),
        tolerance=allowed,
        base_difference=reference.base_difference,
        reason=reason,
    )


def tolerance(job: ExportJob, dtype: torch.dtype, stored: torch.dtype) -> float:
    """Mean difference that is allowed, nats.

    Args:
        job: what the files are.
        dtype: what both compute in.
        stored: what the weights in the files are.
    """
    allowed = _EXACT if dtype == torch.float32 else _HALF
    if job.content == "gguf" and job.gguf_type == "q8_0":
        return max(allowed, _EIGHT_BITS)
    return allowed if stored == torch.float32 else max(allowed, _ROUNDED)


def _same(one: list[int], other: list[int]) -> int:
    """Tokens up to the first that differs."""
    pairs = enumerate(zip(one, other, strict=False))
    return next((place for place, (a, b) in pairs if a != b), min(len(one), len(other)))


def _reason(reference: Reference, answer: list[int], same: int, mean: float, allowed: float) -> str:
    if not mean <= allowed:
        return (
            f"On the original's answer the log-probabilities differ by {mean:.3g} nats on average; "
            f"{allowed:g} is allowed."
        )
    if same < len(reference.answer) and same < len(answer):
        row = reference.logprobs[same]
        undecided = float(row[reference.answer[same]] - row[answer[same]])
        if undecided > 2 * allowed:
            return (
                f"The answers part at token {same + 1}, where the original prefers its own by "
                f"{undecided:.3g} nats."
            )
    return ""


def _brief(error: Exception) -> str:
    return " ".join(str(error).split())[:300].rstrip(".")
