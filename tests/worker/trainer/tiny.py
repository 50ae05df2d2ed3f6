"""A tiny random Llama with a byte-level tokenizer and a chat template, for tests.

It takes a fraction of a second to build and some milliseconds per step. Nothing here is downloaded.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

CHAT_TEMPLATE = (
    "{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\n' "
    "+ message['content'] + '<|im_end|>\n' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)
SPECIAL_TOKENS = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]


def make_tiny_model(folder: Path, *, chat_template: str | None = CHAT_TEMPLATE) -> Path:
    """Write a random two-layer Llama (hidden 32, vocabulary 259) and its tokenizer."""
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    tokenizer = make_tiny_tokenizer(chat_template)
    config = LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=2048,
        tie_word_embeddings=True,
        initializer_range=0.3,  # wide enough that other prompts give other distributions
        bos_token_id=1,
        eos_token_id=2,
        pad_token_id=2,
    )
    with torch.random.fork_rng([]):
        torch.manual_seed(0)
        model = LlamaForCausalLM(config)
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def make_tiny_tokenizer(chat_template: str | None = CHAT_TEMPLATE) -> Any:
    """One token per byte, so that one character can take several tokens."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    vocabulary = {text: index for index, text in enumerate([*SPECIAL_TOKENS, *alphabet])}
    backend = Tokenizer(models.BPE(vocab=vocabulary, merges=[]))
    backend.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    backend.decoder = decoders.ByteLevel()
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=backend,
        bos_token="<|im_start|>",
        eos_token="<|im_end|>",
        pad_token="<|im_end|>",
        unk_token="<|endoftext|>",
    )
    tokenizer.chat_template = chat_template
    return tokenizer


def make_records(path: Path, count: int = 12) -> Path:
    """Write a JSONL file of small worked examples in the `records` format."""
    rows = [
        {
            "id": f"r{index}",
            "question": f"What is {index} + {index + 1}?",
            "answer": str(2 * index + 1),
            "rationale": f"{index} + {index + 1} = {2 * index + 1}, as é and 😀 know.",
        }
        for index in range(count)
    ]
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows))
    return path


def tiny_config(model: Path, records: Path, **parts: dict[str, Any]) -> dict[str, Any]:
    """A configuration as plain data: a few steps of two sequences; `parts` are merged in."""
    config: dict[str, Any] = {
        "model": {"name": str(model), "dtype": "float32", "lora": {"rank": 4, "alpha": 8}},
        "data": {"path": str(records)},
        "training": {
            "max_steps": 3,
            "batch_size": 2,
            "gradient_accumulation_steps": 2,
            "learning_rate": 1e-2,
            "device": "cpu",
        },
        "generation": {"max_completion_length": 8, "max_prompt_length": 400},
        "recording": {"trajectories_per_step": 2, "pinned_examples": 1, "pinned_every_steps": 2},
    }
    for part, values in parts.items():
        config[part] = config.get(part, {}) | values
    return config
