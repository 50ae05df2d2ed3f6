"""Writes what the web side reads of a model: configuration, tokenizer and chat template."""

from __future__ import annotations

import json
from pathlib import Path

from tokenizers import Tokenizer, models, pre_tokenizers

TEMPLATE = (
    "{% for message in messages %}<{{ message.role }}>{{ message.content }}</end>{% endfor %}"
    "{% if add_generation_prompt %}<assistant>{% endif %}"
)


def write_model_folder(folder: Path, template: str | None = TEMPLATE) -> Path:
    """A model whose tokenizer has one token per byte."""
    folder.mkdir(parents=True)
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    tokenizer = Tokenizer(models.BPE({char: n for n, char in enumerate(sorted(alphabet))}, []))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.save(str(folder / "tokenizer.json"))
    (folder / "config.json").write_text(json.dumps({"model_type": "llama"}))
    settings = {} if template is None else {"chat_template": template}
    (folder / "tokenizer_config.json").write_text(json.dumps(settings))
    return folder
