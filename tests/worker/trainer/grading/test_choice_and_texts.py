"""What counts as an answer, and what does not."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.record import Record
from core.record_fields import LETTERS
from worker.trainer.grading import grade
from worker.trainer.grading.choice import extract_letter
from worker.trainer.grading.texts import normalized, split_answer

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
        # Whoever thinks aloud may change their mind; what they say last counts.
        ("Option A is wrong. Option D too. So the answer is C.", "C"),
        ("Answer: A\nWait, no.\nAnswer: D", "D"),
        ("The best option is D. Mines are deep.", "D"),
        # Forms that models like.
        ("**Answer:** B", "B"),
        ("**Answer**: B", "B"),
        ("Answer: **B. the old library**", "B"),
        ("Answer: \\boxed{B}", "B"),
        ("answer: b", "B"),
        ("Answer:\nB", "B"),
        # Nothing is guessed.
        ("The answer is not B.", None),
        ("Answer: B or C", None),
        ("Answer: (B) or (C)", None),
        ("Answer: a secret", None),
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
    assert grade(record, "no idea")[:2] == (None, False)


@pytest.mark.parametrize(
    ("text", "right"),
    [
        ("23", True),
        ("It goes on by five.\nAnswer: 23.", True),
        ("Answer: 5\nno, Answer: 23", True),
        ("Answer: 22", False),
        ("about 23 or so", False),
        ("**Answer:** 23", True),
        ("Answer: $23$", True),
        ("Answer: -23", False),
        ("Answer: 2 3", False),
        ("Answer: 2/3", False),
        ("Answer: 23%", False),
    ],
)
def test_free_text_is_compared_after_normalisation(text, right):
    record = Record(id="1", line=1, prompt="?", answer="23")
    assert grade(record, text).correct is right


@given(st.text(max_size=50))
def test_normalising_twice_changes_nothing(text):
    assert normalized(normalized(text)) == normalized(text)


ODD = st.text(alphabet="ab A19 ,.-+*/<>=^%$“”\n\t!", max_size=30)


@given(ODD)
def test_normalising_signs_twice_changes_nothing(text):
    assert normalized(normalized(text)) == normalized(text)


@given(st.integers(-(10**9), 10**9), st.sampled_from(["{}", "**{}**", "{}.", "({})", " {}\n"]))
def test_numbers_are_the_same_in_any_dress(number, form):
    assert normalized(form.format(f"{number:,}")) == normalized(str(number))
    assert normalized(form.format(number)) != normalized(str(number + 1))


@given(st.lists(st.sampled_from("ABCDE"), min_size=1, max_size=4))
def test_the_last_line_that_names_an_answer_decides(letters):
    text = "\n".join(f"Answer: {letter}" for letter in letters)
    assert extract_letter(text, CHOICES) == letters[-1]


@given(st.text(max_size=60), st.text(alphabet="xyz 12", min_size=1, max_size=20))
def test_an_answer_is_split_off_where_it_was_put(reason, answer):
    found = split_answer(f"{reason}\nAnswer: {answer}")
    if answer.strip():
        assert found is not None
        assert found[1] == answer.strip()
    else:
        assert found is None or found[1]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("1/2", "12"),
        ("x < 3", "x > 3"),
        ("x<3", "x 3"),
        ("5 %", "5"),
        ("a+b", "a*b"),
        ("3.10", "310"),
        ("C++", "C"),
        ("5%", "5"),
    ],
)
def test_signs_can_be_the_point(one, other):
    assert normalized(one) != normalized(other)
    record = Record(id="1", line=1, prompt="?", answer=one)
    assert grade(record, f"Answer: {one}").correct
    assert not grade(record, f"Answer: {other}").correct


def test_an_answer_of_signs_alone_is_compared_as_it_stands():
    record = Record(id="1", line=1, prompt="Which article?", answer="the")
    assert grade(record, "Answer: The").correct
    assert not grade(record, "Answer: a").correct
    assert not grade(record, "").correct


def test_normalised_forms():
    assert normalized("The  Old, Library!") == "old library"
    assert normalized("1,234.5 apples.") == "1234.5 apples"
    assert normalized("-3") == "-3"


@pytest.mark.parametrize(
    ("text", "letter"),
    [
        (r"So $\boxed{B}$.", "B"),
        (r"Answer: A, but really \boxed{\text{C}}", "C"),
        ("Answer: B, C", None),
        ("The answer is B (or C).", None),
        ("The answer is B or maybe C.", None),
        ("Answer: B, I think.", "B"),
        ("Answer: B, A dog is an animal.", "B"),
        ("The answer is C6H12O6", None),
        ("B. library\nAnswer: F", None),
        ("Answer: `B`", "B"),
        ("Answer: 'B'", "B"),
        ('The answer is "A".', "A"),
        ("The answer is definitely B.", "B"),
        ("Answer: $A$", "A"),
        ("Answer: A!", "A"),
        ("The answer is B's owner", None),
    ],
)
def test_hedges_boxes_and_words_that_begin_with_a_letter(text, letter):
    assert extract_letter(text, CHOICES) == letter


def test_texts_are_compared_by_what_they_show():
    assert normalized("caf\u00e9") == normalized("cafe\u0301")
    assert normalized("\uff15") == normalized("5")
    assert normalized("\u22125") == normalized("-5")
