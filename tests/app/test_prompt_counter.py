from __future__ import annotations

from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from transformers import AutoTokenizer, PreTrainedTokenizerFast

from app.preflight.prompts import UnusableModelError, load_counter
from core.prompts import Message
from tests.app.checkpoint import write_model_folder

MESSAGES: list[Message] = [
    {"role": "system", "content": "Be brief."},
    {"role": "user", "content": "Wie geht’s? 你好\n\n{{ 7 * 7 }}"},
]
TEMPLATES = {
    "plain": "{% for m in messages %}[{{ m['role'] }}] {{ m.content }}\n{% endfor %}"
    "{% if add_generation_prompt %}[assistant] {% endif %}",
    "blocks": "{%- for m in messages -%}\n  {%- if m.role == 'system' -%}{%- continue -%}"
    "{%- endif -%}\n  {{ m.content | trim | tojson }}{{ bos_token }}\n{%- endfor -%}",
    "generation": "{% for m in messages %}{% generation %}{{ m.content }}{% endgeneration %}"
    "{% endfor %}",
}


@pytest.mark.parametrize("template", TEMPLATES.values(), ids=TEMPLATES)
def test_it_counts_as_transformers_does(tmp_path: Path, template: str) -> None:
    folder = write_model_folder(tmp_path / "model", template)
    counter = load_counter(folder)
    assert counter is not None
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_file=str(folder / "tokenizer.json"), chat_template=template, bos_token="<s>"
    )
    counter.special_tokens["bos_token"] = "<s>"
    expected = tokenizer.apply_chat_template(MESSAGES, add_generation_prompt=True, tokenize=False)
    ids = tokenizer(expected, add_special_tokens=False)["input_ids"]
    # The added token itself is not in the byte vocabulary, hence the tolerance of its letters.
    assert abs(counter.count(MESSAGES) - len(ids)) <= 2 * expected.count("<s>")


def test_a_model_without_template_is_refused_with_the_remedy(
    client: TestClient, config: dict[str, dict[str, str]], tmp_path: Path
) -> None:
    folder = write_model_folder(tmp_path / "base", template=None)
    with pytest.raises(UnusableModelError, match="no chat template"):
        load_counter(folder)
    answer = client.post(
        "/api/runs/validate", json={"config": config | {"model": {"name": str(folder)}}}
    )
    (error,) = answer.json()["errors"]
    assert (error["code"], error["field"]) == ("model_unusable", "model.name")


def test_a_template_cannot_reach_the_machine(tmp_path: Path) -> None:
    attack = "{{ ''.__class__.__mro__[1].__subclasses__() }}"
    counter = load_counter(write_model_folder(tmp_path / "model", attack))
    assert counter is not None
    with pytest.raises(UnusableModelError):
        counter.count(MESSAGES)


def test_a_model_without_fast_tokenizer_is_left_to_the_trainer(tmp_path: Path) -> None:
    assert AutoTokenizer is not None
    assert load_counter(tmp_path) is None
