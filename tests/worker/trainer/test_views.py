"""All views of a record: the right context, within the length, in every epoch."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core import views as views_module
from core.views import Views
from tests.worker.trainer.preparation.asked import make_asker, saying, write_records
from worker.trainer.preparation.contexts import Contexts


def make_views(folder, rows, contexts=None, **parts):
    folder.mkdir(parents=True, exist_ok=True)
    path = write_records(folder / "records.jsonl", rows)
    asker, records = make_asker(path, folder / "run", saying(""), **parts)
    return Views(asker.chat, asker.config, records, contexts or Contexts()), records


def agreement(contexts="random", views=2, longest=400):
    return {
        "objective": {"agreement": {"contexts": contexts, "views": views}},
        "generation": {"max_prompt_length": longest, "max_completion_length": 8},
    }


def row(number, words=1, question=None):
    return {
        "question": question or f"Question {number}?",
        "answer": f"a{number}",
        "rationale": "long " * words,
    }


@given(
    st.lists(st.integers(0, 45), min_size=3, max_size=12),
    st.integers(2, 3),
    st.integers(1, 4),
)
@settings(max_examples=25, deadline=None)
def test_a_record_that_fits_has_all_its_views_in_every_epoch(
    tmp_path_factory, lengths, count, tries
):
    """Even when all random draws are too long, and few are tried."""
    rows = [row(number, words) for number, words in enumerate(lengths)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(views_module, "TRIES", max(tries, count))
        views, records = make_views(
            tmp_path_factory.mktemp("views"), rows, **agreement(views=count, longest=300)
        )
        for index in range(len(records)):
            found = [views.example(index, epoch).auxiliary for epoch in range(6)]
            for auxiliary in found:
                assert all(len(view.ids) <= 300 for view in auxiliary)
                assert len({view.text for view in auxiliary}) == len(auxiliary)
            full = [len(auxiliary) == count for auxiliary in found]
            # Never only in some epochs.
            assert all(full) if views.fits(index) else not any(full)


def test_long_texts_of_few_tokens_are_not_taken_for_long_ones(tmp_path):
    """Length is counted in tokens: here in bytes, of which 字 has three."""
    rows = [row(0), *({**row(number), "rationale": "字" * 50} for number in range(1, 70))]
    rows += [{**row(number), "rationale": "x" * 60} for number in (70, 71)]
    views, _ = make_views(tmp_path, rows, **agreement(longest=280))
    assert views.fits(0)
    for epoch in range(10):
        assert all("字" not in view.text for view in views.example(0, epoch).auxiliary)


def test_answers_count_towards_the_length_too(tmp_path):
    rows = [{"question": f"Question {n}?", "answer": "x" * 300} for n in range(70)]
    rows += [{"question": f"Question {n}?", "answer": "y"} for n in (70, 71, 72)]
    views, _ = make_views(tmp_path, rows, **agreement(longest=300))
    assert views.fits(71)
    assert all(len(views.example(71, epoch).auxiliary) == 2 for epoch in range(5))


def test_the_same_question_is_never_shown_and_no_question_twice(tmp_path):
    rows = [row(number, question="Same?") for number in range(4)]
    rows += [row(number, question="  same? ") for number in range(4, 8)]
    rows += [row(8), row(8), row(8), row(9), row(9)]
    views, records = make_views(tmp_path, rows, **agreement())
    for index in range(len(records)):
        for epoch in range(5):
            auxiliary = views.example(index, epoch).auxiliary
            assert len({view.text for view in auxiliary}) == 2
            if index < 8:
                assert all(view.text.casefold().count("same?") == 1 for view in auxiliary)


def test_random_contexts_change_with_epoch_and_seed_and_are_the_same_when_asked_again(tmp_path):
    rows = [row(number) for number in range(12)]
    one, _ = make_views(tmp_path / "one", rows, **agreement())
    same, _ = make_views(tmp_path / "same", rows, **agreement())
    other, _ = make_views(tmp_path / "other", rows, **agreement(), training={"seed": 99})
    epochs = [one.example(0, epoch).auxiliary for epoch in range(6)]
    assert len({view.text for view in epochs[0] + epochs[1] + epochs[2]}) > 2
    assert epochs == [same.example(0, epoch).auxiliary for epoch in range(6)]
    assert epochs != [other.example(0, epoch).auxiliary for epoch in range(6)]


def test_retrieval_goes_on_to_the_next_neighbour_and_to_no_one_else(tmp_path):
    rows = [row(0), row(1, 100), row(2), row(3, 100), row(4), row(5)]
    near = [[1, 2, 3, 4], [2], [0, 1, 4], [0, 1], [1, 3, 0], [0, 2, 4]]
    contexts = Contexts(neighbours=near)
    views, _ = make_views(tmp_path, rows, contexts, **agreement("retrieval"))
    auxiliary = views.example(0, 0).auxiliary
    assert ["Question 2?" in view.text for view in auxiliary] == [True, False]
    assert ["Question 4?" in view.text for view in auxiliary] == [False, True]
    assert views.example(0, 7).auxiliary == auxiliary
    assert views.fits(5)
    assert not views.fits(4)  # one short neighbour: what is not similar does not step in


def test_an_instruction_that_is_too_long_drops_the_record(tmp_path):
    contexts = Contexts(instructions=["Think.", "Look " * 60])
    views, _ = make_views(tmp_path, [row(0), row(1)], contexts, **agreement("induction"))
    assert views.fits(0)
    views, _ = make_views(
        tmp_path / "less", [row(0), row(1)], contexts, **agreement("induction", longest=250)
    )
    assert not views.fits(0)


def test_the_model_s_context_bounds_the_views(tmp_path):
    rows = [row(number, 20 if number < 8 else 1) for number in range(11)]
    views, _ = make_views(tmp_path, rows, Contexts(longest=230), **agreement())
    assert views.fits(9)
    for epoch in range(10):
        auxiliary = views.example(9, epoch).auxiliary
        assert len(auxiliary) == 2
        assert all(len(view.ids) <= 230 for view in auxiliary)


def test_negatives_change_with_the_epoch_and_what_is_too_long_gives_way(tmp_path):
    contexts = Contexts(negatives=[["first", "second", "x" * 500], []])
    parts = {
        "objective": {"contrastive": True},
        "generation": {"max_prompt_length": 500, "max_completion_length": 8},
    }
    views, _ = make_views(tmp_path, [row(0), row(1)], contexts, **parts)
    shown = [views.example(0, epoch).negative for epoch in range(30)]
    assert all(len(view.ids) <= 500 for view in shown)
    assert {"first" in view.text for view in shown} == {True, False}
    assert views.example(1, 0).negative is None
    assert views.example(0, 0).auxiliary == ()
