"""Asking: the same answers in any batches, from a real model, and none beyond its context."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from core.config import RunConfig
from core.errors import StudioError
from core.records import read_records
from tests.worker.trainer.preparation.asked import TOKENIZER, make_asker, saying
from tests.worker.trainer.tiny import tiny_config
from worker.trainer.chat import Chat, load_tokenizer
from worker.trainer.event_log import EventLog
from worker.trainer.grading.texts import normalized
from worker.trainer.interrupt import Interrupt
from worker.trainer.model import load_network
from worker.trainer.preparation import asking
from worker.trainer.preparation.asking import Asker
from worker.trainer.preparation.contexts import prepare_contexts
from worker.trainer.preparation.induction import HOW, induce
from worker.trainer.preparation.presampled import presample
from worker.trainer.rollout import Rollout, TransformersSampler


def real_asker(model: Path, records: Path, folder: Path, **parts) -> Asker:
    config = RunConfig.model_validate(tiny_config(model, records, **parts))
    tokenizer = load_tokenizer(config.model)
    network = load_network(config.model, tokenizer, torch.device("cpu"), torch.float32, seed=0)
    sampler = TransformersSampler(network, Interrupt())
    return Asker(config, Chat(tokenizer, config), sampler, EventLog(folder), Interrupt(), 2048)


def test_answers_of_a_real_model_do_not_hang_on_the_batches(
    tmp_path, monkeypatch, tiny_model, records
):
    parts = {"objective": {"loss": "cross_entropy", "completions": "presampled"}}
    found = []
    for number, batch in enumerate([16, 5, 1]):
        monkeypatch.setattr(asking, "BATCH", batch)
        monkeypatch.setenv("UNISD_CACHE_DIR", str(tmp_path / f"cache{number}"))
        asker = real_asker(tiny_model, records, tmp_path / str(number), **parts)
        found.append(prepare_contexts(asker, list(read_records(asker.config.data))).presampled)
    assert found[0] == found[1] == found[2]
    assert len({tuple(rollout.ids) for rollout in found[0]}) > 1
    assert all(len(rollout.ids) <= 8 for rollout in found[0])


def test_other_settings_and_seeds_give_other_results(tmp_path, tiny_model, records):
    def ask(name, **parts):
        asker = real_asker(tiny_model, records, tmp_path / name, **parts)
        return presample(asker, list(read_records(asker.config.data)))

    generation = {"max_completion_length": 8, "max_prompt_length": 400, "temperature": 0.2}
    first = ask("one")
    assert ask("same") == first
    assert ask("cooler", generation=generation) != first
    assert ask("seed", training={"seed": 77}) != first


@pytest.mark.parametrize(
    ("text", "whole"),
    [
        ("One. Two! And a ha", "One. Two!"),
        ('He said "no." Then', 'He said "no."'),
        ("It costs 3.5 and", ""),
        ("no sentence", ""),
        ("Whole.", "Whole."),
        ("一。二", "一。"),
        ("", ""),
    ],
)
def test_an_answer_that_ran_out_of_tokens_ends_with_a_sentence(tmp_path, quiz, text, whole):
    asker, _ = make_asker(quiz, tmp_path / "one", saying(""))
    ids = TOKENIZER(text, add_special_tokens=False)["input_ids"]
    assert asker.text(Rollout(ids, truncated=True)) == whole
    assert asker.text(Rollout([*ids, 2], truncated=False)) == text


def test_progress_is_told_batch_by_batch(tmp_path, records):
    asker, read = make_asker(records, tmp_path / "one", saying("x"))
    presample(asker, read * 3)
    log = (tmp_path / "one" / "events.jsonl").read_text()
    assert '"current":0,"total":36' in log
    assert '"current":16,"total":36' in log
    assert '"current":36,"total":36' in log
    sampler = saying("never asked")
    asker, _ = make_asker(records, tmp_path / "two", sampler)
    presample(asker, read * 3)
    assert not sampler.prompts
    log = (tmp_path / "two" / "events.jsonl").read_text()
    assert '"current":36,"total":36' in log


def test_handfuls_shrink_until_the_model_has_room(tmp_path, quiz):
    sampler = saying("Think.")
    room = 700
    asker, records = make_asker(quiz, tmp_path / "one", sampler, context=room)
    with pytest.raises(StudioError):
        induce(asker, records, 2)  # it repeats itself, but it was asked
    assert sampler.prompts
    for prompt in sampler.prompts:
        assert len(asker.chat.tokens(prompt)) + HOW.max_tokens <= room
        assert "Example 2" in prompt
        assert "Example 4" not in prompt
    asker, _ = make_asker(quiz, tmp_path / "two", sampler, context=200)
    with pytest.raises(StudioError) as caught:
        induce(asker, records, 2)
    assert caught.value.problem.code == "induction_failed"
    assert "200 tokens" in caught.value.problem.message


def test_instructions_that_differ_in_signs_alone_are_one(tmp_path, quiz):
    asker, records = make_asker(quiz, tmp_path / "one", saying(""))
    lines = iter(
        [
            "Do not mention examples.",
            "",
            "Think first.",
            "think first",
            "“Think first!”",
            "Look at the options.",
        ]
        * 3
    )
    asker.sampler.says = lambda _prompt, _seed: next(lines)
    found = {normalized(text) for text in induce(asker, records, 2)}
    assert found == {"think first", "look at options"}


def test_the_longest_view_leaves_room_for_its_completion(tmp_path, quiz):
    generation = {"max_prompt_length": 900, "max_completion_length": 8}
    for number, (context, longest) in enumerate([(None, 900), (2048, 900), (500, 492)]):
        asker, _ = make_asker(
            quiz, tmp_path / str(number), saying(""), context=context, generation=generation
        )
        assert asker.longest_view == longest
