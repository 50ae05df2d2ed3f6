from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.record import Record
from worker.trainer.grading import grade
from worker.trainer.grading.numbers import extract_number, same_number

RECORD = Record(id="1", line=1, prompt="?", answer="1,200", number="1200")


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("#### 72", "72"),
        ("so 5 apples\n#### 1,200", "1200"),
        ("Answer: 72 clips", "72"),
        ("Answer: $1,200.50.", "1200.50"),
        ("**Answer:** -3", "-3"),
        ("The answer is 5 + 3 = 8.", "8"),
        ("Answer: 4\nNo, wait.\nAnswer: 5", "5"),
        ("We get \\boxed{12} here.", "12"),
        ("First 3, then 4.\nThat makes 7.", "7"),
        ("It is 3 or 4.", None),
        ("Answer: 3 or 4", None),
        ("Answer: none of them\n12", None),
        ("version 1.2.3", None),
        ("Answer: \u22125", "-5"),
        ("Answer: -$5", "-5"),
        ("The answer is:\n\n18", "18"),
        ("**Answer:**\n18", "18"),
        ("The answer is 7\n\nQuestion: What is 1 + 2?\nThe answer is 3", "7"),
        ("", None),
        ("no number at all", None),
    ],
)
def test_the_result_is_found_in_the_order_of_the_rules(text: str, number: str | None) -> None:
    assert extract_number(text) == number


def test_equal_numbers_are_equal_however_they_are_written() -> None:
    assert same_number("1,200.0", "1200")
    assert not same_number("12", "1200")
    assert not same_number(None, "1200")
    assert not same_number("nan", "nan")


def test_a_record_with_a_number_is_graded_by_it() -> None:
    assert grade(RECORD, "Answer: 1200")[:2] == ("1200", True)
    assert grade(RECORD, "Answer: 1201")[:2] == ("1201", False)
    assert grade(RECORD, "many")[:2] == (None, False)


@given(st.text())
def test_any_text_gives_a_number_or_none(text: str) -> None:
    found = extract_number(text)
    assert found is None or same_number(found, found)


@given(st.integers(-(10**12), 10**12))
def test_every_whole_number_is_found(value: int) -> None:
    for written in (str(value), f"{value:,}"):
        assert same_number(extract_number(f"So.\nAnswer: {written}"), str(value))
