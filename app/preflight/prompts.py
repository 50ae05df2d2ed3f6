"""Renders prompts and counts their tokens by the model's own tokenizer file and chat template.

Neither torch nor transformers is loaded.

The trainer counts again, through transformers, and has the last word; a test holds the two equal.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

from jinja2 import Template, TemplateError
from jinja2.ext import Extension
from jinja2.sandbox import ImmutableSandboxedEnvironment
from tokenizers import Tokenizer

from core.prompts import Message
from core.record import Record
from core.views import View


class UnusableModelError(Exception):
    """The model's folder lacks a tokenizer or a chat template that can be used."""


class PromptCounter(NamedTuple):
    """A model's tokenizer and chat template."""

    tokenizer: Tokenizer
    template: Template
    special_tokens: dict[str, str]

    def count(self, messages: list[Message]) -> int:
        """Tokens of a conversation, up to where the model starts to answer.

        Raises:
            UnusableModelError: the template refuses these messages.
        """
        return len(self.tokens(self.render(messages)))

    def render(self, messages: list[Message]) -> str:
        """A conversation as the chat template writes it, up to where the model starts to answer.

        Raises:
            UnusableModelError: the template refuses these messages.
        """
        try:
            return self.template.render(
                messages=messages,
                add_generation_prompt=True,
                tools=None,
                documents=None,
                **self.special_tokens,
            )
        except (TemplateError, TypeError, ValueError) as error:
            raise UnusableModelError(f"its chat template refused the prompt: {error}") from error

    def tokens(self, text: str) -> list[int]:
        """Token ids of a text as it stands, without special tokens added."""
        return list(self.tokenizer.encode(text, add_special_tokens=False).ids)

    def lengths(self, texts: Sequence[str]) -> list[int]:
        """Tokens of many texts at once."""
        encoded = self.tokenizer.encode_batch(list(texts), add_special_tokens=False)
        return [len(one.ids) for one in encoded]

    def view(self, messages: list[Message], record: Record) -> View:
        """A record's conversation, as `core.views` asks for it."""
        del record  # the trainer names its line where the template refuses it
        text = self.render(messages)
        return View(text, self.tokens(text))


@lru_cache(maxsize=8)
def load_counter(model: Path) -> PromptCounter | None:
    """The counter of a model's folder; None where it has no fast tokenizer file.

    Raises:
        UnusableModelError: there is no chat template, or it is broken.
    """
    tokenizer_file = model / "tokenizer.json"
    if not tokenizer_file.is_file():
        return None
    config = _json(model / "tokenizer_config.json")
    source = _template_source(model, config)
    if source is None:
        raise UnusableModelError("its tokenizer has no chat template")
    environment = ImmutableSandboxedEnvironment(
        trim_blocks=True,
        lstrip_blocks=True,
        autoescape=False,
        extensions=["jinja2.ext.loopcontrols", _Generation],
    )
    environment.filters["tojson"] = _tojson
    environment.globals["raise_exception"] = _raise
    environment.globals["strftime_now"] = lambda fmt: datetime.now().astimezone().strftime(fmt)
    try:
        template = environment.from_string(source)
    except TemplateError as error:
        raise UnusableModelError(f"its chat template is broken: {error}") from error
    return PromptCounter(
        Tokenizer.from_file(str(tokenizer_file)), template, _special_tokens(model, config)
    )


class _Generation(Extension):
    """Templates may mark what the assistant says; for counting the marks mean nothing."""

    tags = {"generation"}  # noqa: RUF012

    def parse(self, parser: Any) -> Any:  # noqa: ANN401 - jinja2 leaves its parser untyped
        """Keep the body as it is."""
        next(parser.stream)
        return parser.parse_statements(["name:endgeneration"], drop_needle=True)


def _template_source(model: Path, config: dict[str, Any]) -> str | None:
    file = model / "chat_template.jinja"
    if file.is_file():
        return file.read_text(encoding="utf-8")
    template = config.get("chat_template")
    if isinstance(template, list):
        named = {entry["name"]: entry["template"] for entry in template}
        template = named.get("default")
    return template if isinstance(template, str) else None


def _special_tokens(model: Path, config: dict[str, Any]) -> dict[str, str]:
    tokens: dict[str, str] = {}
    for source in (_json(model / "special_tokens_map.json"), config):
        for name, value in source.items():
            if not name.endswith("_token"):
                continue
            text = value.get("content") if isinstance(value, dict) else value
            if isinstance(text, str):
                tokens[name] = text
    return tokens


def _json(path: Path) -> dict[str, Any]:
    if not path.is_file():
        return {}
    content = json.loads(path.read_text(encoding="utf-8"))
    return content if isinstance(content, dict) else {}


def _tojson(value: Any, indent: int | None = None) -> str:  # noqa: ANN401
    return json.dumps(value, ensure_ascii=False, indent=indent)


def _raise(message: str) -> None:
    raise TemplateError(message)
