"""What counts as an answer, and what does not."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.records import LETTERS, Record
from worker.trainer.grading import extract_letter, grade, normalized

CHOICES = ("bank", "the old library", "mall", "mine", "a dog")


@pytest.mark.parametrize(
    ("text", "letter"),
    [
        ("Answer: B", "B"),
        ("answer: (C) mall", "C"),
        ("The answer is D.", "D"),
        ("The answer is **A**", "A"),
        ("The best option is B because books are there.", "B"),
        ("B. the old library\nBooks are kept there.", "B"),
        ("(C)", "C"),
        ("D", "D"),
        ("One keeps books in the old library.", "B"),
        ("A dog barks.", "E"),
        # The letter that is named as the answer wins over one that begins a line.
        ("A. bank is wrong.\nAnswer: C", "C"),
        # Nothing is guessed.
        ("Answer: B or maybe Answer: C", None),
        ("A. bank\nB. the old library", None),
        ("a mall or a mine", None),
        ("I think so.", None),
        ("The answer is a secret.", None),
        ("Answer: Z", None),
        ("", None),
    ],
)
def test_letters(text, letter):
    assert extract_letter(text, CHOICES) == letter


@given(st.text(max_size=200))
def test_any_text_gives_a_known_letter_or_none(text):
    assert extract_letter(text, CHOICES) in {*LETTERS[:5], None}


@given(st.integers(0, 4))
def test_every_option_is_found_in_its_own_form(index):
    assert extract_letter(f"Answer: {LETTERS[index]}. {CHOICES[index]}", CHOICES) == LETTERS[index]


def test_multiple_choice_is_graded_by_its_letter():
    record = Record(id="1", line=1, prompt="?", answer="C. mall", choices=CHOICES, correct=2)
    assert grade(record, "Answer: C").correct
    wrong = grade(record, "Answer: B")
    assert (wrong.correct, wrong.extracted) == (False, "B")
    assert grade(record, "no idea") == (None, False)


@pytest.mark.parametrize(
    ("text", "right"),
    [
        ("23", True),
        ("It goes on by five.\nAnswer: 23.", True),
        ("Answer: 5\nno, Answer: 23", True),
        ("Answer: 22", False),
        ("about 23 or so", False),
    ],
)
def test_free_text_is_compared_after_normalisation(text, right):
    record = Record(id="1", line=1, prompt="?", answer="23")
    assert grade(record, text).correct is right


@given(st.text(max_size=50))
def test_normalising_twice_changes_nothing(text):
    assert normalized(normalized(text)) == normalized(text)


def test_normalised_forms():
    assert normalized("The  Old, Library!") == "old library"
    assert normalized("1,234.5 apples.") == "1234.5 apples"
    assert normalized("-3") == "-3"
