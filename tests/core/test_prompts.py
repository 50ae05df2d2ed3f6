from __future__ import annotations

from core.config import RunConfig
from core.prompts import demonstration, reference_completion, student_messages, teacher_messages
from core.record import Record

RECORD = Record(id="1", line=1, prompt="What is {demonstration}?", answer="{prompt}", rationale="R")


def _config(**parts: object) -> RunConfig:
    return RunConfig.model_validate({"data": {"path": "x"}, **parts})


def test_the_student_sees_the_prompt_alone() -> None:
    assert student_messages(RECORD, _config()) == [{"role": "user", "content": RECORD.prompt}]


def test_text_of_a_record_is_never_a_template() -> None:
    config = _config(teacher={"template": "<{prompt}|{demonstration}> {0} %s {{x}}"})
    (message,) = teacher_messages(RECORD, config)
    assert message["content"] == "<What is {demonstration}?|R\nAnswer: {prompt}> {0} %s {{x}}"


def test_the_rationale_can_be_left_out() -> None:
    without = _config(teacher={"use_rationale": False})
    assert demonstration(RECORD, without) == "Answer: {prompt}"
    bare = RECORD.model_copy(update={"rationale": None})
    assert demonstration(bare, _config()) == "Answer: {prompt}"


def test_the_answer_can_come_first() -> None:
    config = _config(data={"path": "x", "answer_first": True})
    assert demonstration(RECORD, config) == "Answer: {prompt}\nR"
    assert reference_completion(RECORD, answer_first=True) == "Answer: {prompt}\nR"


def test_a_system_prompt_stands_before_both() -> None:
    config = _config(data={"path": "x", "system_prompt": "Be brief."})
    for messages in (student_messages(RECORD, config), teacher_messages(RECORD, config)):
        assert [message["role"] for message in messages] == ["system", "user"]
