"""Text of each token, so that the pieces put together are the text of the whole."""

# ruff: noqa: ANN401 - the classes of models and tokenizers differ from model to model

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

REPLACEMENT = "\ufffd"


def decode(tokenizer: Any, ids: Sequence[int], *, special: bool = True) -> str:
    """Text of a completion as it was sampled; its end token is included unless `special` is off."""
    text: str = tokenizer.decode(
        list(ids), skip_special_tokens=not special, clean_up_tokenization_spaces=False
    )
    return text


def pieces(tokenizer: Any, ids: Sequence[int]) -> list[str]:
    """One text per token; `"".join(...)` equals `decode(tokenizer, ids)`.

    A character may be spread over several byte tokens: the last of them gets it, the others get
    an empty text. Decoding ever longer beginnings is the only way that holds for all tokenizers.
    """
    whole = decode(tokenizer, ids)
    texts: list[str] = []
    told = 0
    for count in range(1, len(ids) + 1):
        begun = decode(tokenizer, ids[:count])
        is_partial = begun.endswith(REPLACEMENT) or not whole.startswith(begun)
        end = told if is_partial else max(told, len(begun))
        texts.append(whole[told:end])
        told = end
    if texts:
        texts[-1] += whole[told:]
    return texts
