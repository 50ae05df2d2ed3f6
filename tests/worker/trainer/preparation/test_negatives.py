"""Wrong demonstrations: wrong, in the form of right ones, and every other one counted."""

from __future__ import annotations

import re

import pytest

from core.prompts import demonstration
from core.record_fields import LETTERS
from tests.worker.trainer.preparation.asked import Scripted, make_asker, saying, write_records
from worker.trainer.grading import grade
from worker.trainer.grading.choice import extract_letter
from worker.trainer.preparation.contexts import prepare_contexts
from worker.trainer.preparation.negatives import write_negatives
from worker.trainer.sandbox import run as sandbox


def form(text):
    """A demonstration's lines, without what they say."""
    return ["answer" if line.startswith("Answer: ") else "reason" for line in text.split("\n")]


@pytest.mark.parametrize("answer_first", [False, True])
@pytest.mark.parametrize("use_rationale", [False, True])
def test_form_is_that_of_the_record_s_own_demonstration(
    tmp_path, quiz, answer_first, use_rationale
):
    sampler = Scripted(lambda _prompt, seed: f"It looks so ({seed}).\nAnswer: nonsense")
    parts = {"data": {"answer_first": answer_first}, "teacher": {"use_rationale": use_rationale}}
    asker, records = make_asker(quiz, tmp_path / "one", sampler, **parts)
    found = write_negatives(asker, records, 4)
    for record, texts in zip(records, found.of_record, strict=True):
        shows_reason = use_rationale and record.rationale
        assert len(texts) == (4 if shows_reason else 2)  # bare options cannot repeat
        for text in texts:
            assert form(text) == form(demonstration(record, asker.config))
            assert "nonsense" not in text
            letter = extract_letter(text, record.choices)
            assert letter in LETTERS[:3]
            assert letter != LETTERS[record.correct]
    assert found.counts["usable"] == sum(map(len, found.of_record))


def test_bare_options_need_no_model(tmp_path, quiz):
    sampler = saying("never asked")
    asker, records = make_asker(quiz, tmp_path / "o", sampler, teacher={"use_rationale": False})
    found = write_negatives(asker, records, 9)
    assert not sampler.prompts
    for texts in found.of_record:
        assert set(texts) == {"Answer: A. in the bank", "Answer: C. in the mine"}
    assert found.counts == {"asked": 12, "usable": 12, "records_without": 0}


def test_every_wrong_option_is_argued_for_in_turn(tmp_path, quiz):
    sampler = saying("So it is.")
    asker, records = make_asker(quiz, tmp_path / "one", sampler)
    write_negatives(asker, records[:1], 4)
    named = [re.search(r"option is (\w)\.", prompt)[1] for prompt in sampler.prompts]
    assert sorted(named) == ["A", "A", "C", "C"]


def test_an_argument_for_another_option_is_thrown_away(tmp_path, quiz):
    says = {"A": "The answer is B.", "C": "The answer is A."}
    sampler = Scripted(lambda prompt, _: says[re.search(r"option is (\w)\.", prompt)[1]])
    asker, records = make_asker(quiz, tmp_path / "one", sampler)
    found = write_negatives(asker, records[:1], 2)
    assert found.of_record == [[]]
    assert found.counts == {"asked": 2, "right": 1, "inconsistent": 1, "records_without": 1}


def test_an_argument_that_only_speaks_of_the_right_option_is_thrown_away(tmp_path, quiz):
    asker, records = make_asker(quiz, tmp_path / "one", saying("People keep it in the mall."))
    assert write_negatives(asker, records[:1], 2).counts["right"] == 2


def test_what_ran_out_of_tokens_is_shown_in_whole_sentences(tmp_path, quiz):
    sampler = saying("Banks are safe. Many people keep thi", truncated=True)
    asker, records = make_asker(quiz, tmp_path / "one", sampler)
    texts = write_negatives(asker, records[:1], 2).of_record[0]
    assert len(texts) == 2
    assert all(text.startswith("Banks are safe.\nAnswer: ") for text in texts)
    sampler = saying("no end", truncated=True)
    asker, _ = make_asker(quiz, tmp_path / "two", sampler, training={"seed": 5})
    assert write_negatives(asker, records[:1], 2).counts["empty"] == 2


def test_what_does_not_fit_is_counted_and_not_kept(tmp_path, quiz):
    sampler = Scripted(
        lambda prompt, _: "Long. " * (200 if "option is A" in prompt else 1),
    )
    parts = {"objective": {"contrastive": True}, "generation": {"max_prompt_length": 600}}
    asker, records = make_asker(quiz, tmp_path / "one", sampler, **parts)
    contexts = prepare_contexts(asker, records)
    assert contexts.counts["negatives/too_long"] == 6  # three records with reasons, two each
    assert all("A. in the bank" not in text for text in contexts.negatives[0])
    assert len(contexts.negatives[1]) == 2


def test_a_question_without_room_is_not_asked(tmp_path, quiz):
    sampler = saying("So it is.")
    asker, records = make_asker(quiz, tmp_path / "one", sampler, context=120)
    found = write_negatives(asker, records[:1], 2)
    assert not sampler.prompts
    assert found.counts == {"asked": 2, "question_too_long": 2, "records_without": 1}


def test_free_text_keeps_the_reasoning_before_its_answer(tmp_path, records):
    says = "1 and 1 makes 3. **Answer:** 77"
    asker, read = make_asker(records, tmp_path / "one", saying(says))
    found = write_negatives(asker, read, 2)
    for record, texts in zip(read, found.of_record, strict=True):
        assert texts == ["1 and 1 makes 3.\nAnswer: 77"]
        assert not grade(record, texts[0]).correct
    assert found.counts["repeated"] == len(read)


def test_another_way_to_write_the_right_answer_is_right(tmp_path):
    rows = [{"question": "How many?", "answer": "1,234", "rationale": "Counted."}]
    path = write_records(tmp_path / "r.jsonl", rows)
    for number, answer in enumerate(["1234", "**1,234**.", " 1,234 "]):
        asker, read = make_asker(
            path,
            tmp_path / str(number),
            saying(f"So.\nAnswer: {answer}"),
            training={"seed": number},
        )
        assert write_negatives(asker, read, 1).counts.get("right") == 1


PROGRAM = {
    "text": "Write a function that doubles a number.",
    "code": "def double(n):\n    return 2 * n",
    "task_id": 700,
    "test_list": ["assert double(2) == 4", "assert double(3) == 6"],
}


@pytest.mark.skipif(
    sandbox.reached() < sandbox.Isolation.NAMESPACES, reason="no isolation can be reached here"
)
def test_code_must_fail_a_test_and_is_shown_as_code(tmp_path):
    path = write_records(tmp_path / "mbpp.jsonl", [PROGRAM])
    said = ["def double(n):\n    return n + 2", "def double(n):\n    return n + n"]
    answers = iter([*(f"Look:\n```python\n{one}\n```" for one in said), "I cannot."])
    sampler = Scripted(lambda _prompt, _seed: next(answers))
    asker, records = make_asker(path, tmp_path / "one", sampler, data={"format": "mbpp"})
    found = write_negatives(asker, records, 3)
    assert found.of_record == [[f"```python\n{said[0]}\n```"]]
    assert found.counts == {
        "asked": 3,
        "usable": 1,
        "right": 1,
        "no_answer": 1,
        "records_without": 0,
    }


def test_calls_of_tools_must_be_wrong_and_are_shown_as_calls(tmp_path):
    row = {
        "prompt": "You may call find. Find 1.",
        "name": "Finder",
        "golden_answer": [{"Action": "find", "Action_Input": '{"a": 1}'}],
    }
    path = write_records(tmp_path / "tools.jsonl", [row])
    wrong = 'Action: find\nAction Input: {"a": 2}'
    answers = iter([f"I think:\n{wrong}", 'Action: find\nAction Input: {"a":1}', "No."])
    sampler = Scripted(lambda _prompt, _seed: next(answers))
    asker, records = make_asker(path, tmp_path / "one", sampler, data={"format": "toolalpaca"})
    found = write_negatives(asker, records, 3)
    assert found.of_record == [[wrong]]
    assert (found.counts["right"], found.counts["no_answer"]) == (1, 1)
