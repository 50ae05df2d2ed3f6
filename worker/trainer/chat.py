"""Prompts as the model sees them: the tokenizer's chat template, applied to every view."""

# ruff: noqa: ANN401 - the classes of models and tokenizers differ from model to model

from __future__ import annotations

from typing import Any

from jinja2 import TemplateError
from transformers import AutoTokenizer

from core.config import ModelConfig, RunConfig
from core.errors import StudioError
from core.prompts import Message, reference_completion
from core.record import Record
from core.views import Example, View, primary_views
from worker.trainer.failures import mistake
from worker.trainer.hub import locate_model
from worker.trainer.model_path import ModelSource


class Chat:
    """Renders records with a tokenizer's chat template.

    Args:
        tokenizer: a Hugging Face tokenizer with a chat template.
        config: the run's configuration: system prompt and teacher's template.
    """

    def __init__(self, tokenizer: Any, config: RunConfig) -> None:
        self.tokenizer = tokenizer
        self._config = config

    def example(self, record: Record) -> Example:
        """A record behind the prompts of student and primary teacher.

        Raises:
            StudioError: `chat_template_failed` if the template refuses the messages.
        """
        return primary_views(self, record, self._config)

    def reference(self, record: Record) -> list[int]:
        """Token ids of the data's answer as a completion, without an end token."""
        return self.tokens(
            reference_completion(record, answer_first=self._config.data.answer_first)
        )

    def tokens(self, text: str) -> list[int]:
        """Token ids of a text as it stands, without special tokens added."""
        return list(self.tokenizer(text, add_special_tokens=False)["input_ids"])

    def conversation(self, messages: list[Message]) -> list[int]:
        """Token ids of a conversation that belongs to no record."""
        text: str = self.tokenizer.apply_chat_template(
            messages, tokenize=False, add_generation_prompt=True
        )
        return self.tokens(text)

    def view(self, messages: list[Message], record: Record) -> View:
        """A record's conversation, up to where the model answers.

        Raises:
            StudioError: `chat_template_failed` if the template refuses the messages.
        """
        text = render(self.tokenizer, messages, record)
        # The template writes the special tokens itself; adding them again would double them.
        return View(text, self.tokens(text))


def render(tokenizer: Any, messages: list[Message], record: Record) -> str:
    """A record's conversation as the chat template writes it, up to where the model answers.

    Raises:
        StudioError: `chat_template_failed` if the template refuses the messages.
    """
    try:
        text: str = tokenizer.apply_chat_template(
            messages, tokenize=False, add_generation_prompt=True
        )
    except (TemplateError, TypeError, ValueError) as error:
        has_system = messages[0]["role"] == "system"
        raise mistake(
            "chat_template_failed",
            f"The model's chat template refuses the prompt of line {record.line}: {error}.",
            "If it knows no system message, remove data.system_prompt.",
            field="data.system_prompt" if has_system else "model.name",
        ) from error
    return text


def load_tokenizer(model: ModelConfig) -> Any:
    """Load the model's tokenizer.

    Raises:
        StudioError: `model_not_found`, `model_invalid` or `chat_template_missing`.
    """
    source = locate_model(model)
    try:
        tokenizer = AutoTokenizer.from_pretrained(
            source.location, revision=model.revision or "main", trust_remote_code=False
        )
    except (OSError, ValueError, KeyError, AttributeError) as error:
        raise model_not_loaded("tokenizer", source, error) from error
    if not tokenizer.chat_template:
        raise mistake(
            "chat_template_missing",
            f"The tokenizer of {model.name} has no chat template.",
            "Choose an instruction-tuned model, or add a chat_template to its tokenizer.",
            field="model.name",
        )
    return tokenizer


def model_not_loaded(part: str, source: ModelSource, error: Exception) -> StudioError:
    """Say which part of a model that was found could not be loaded, and why."""
    reason = " ".join(str(error).split())[:300].rstrip(".")
    return mistake(
        "model_invalid",
        f"The {part} of {source.location} cannot be loaded: {reason}.",
        "A model needs config.json, safetensors weights and a tokenizer; models that bring code "
        "of their own are not run.",
        field="model.name",
    )
