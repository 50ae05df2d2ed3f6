"""What prompts have in common is computed once, and nothing else changes."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations
from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from core.config import RunConfig
from core.record import Record
from core.views import Example, View
from tests.worker.trainer.test_families import FAMILIES, make_model
from tests.worker.trainer.tiny import tiny_config
from worker.trainer.batching import like_lengths
from worker.trainer.chat import load_tokenizer
from worker.trainer.ema import add_ema
from worker.trainer.model import load_network
from worker.trainer.prefixes import SHORTEST, Group, can_share, group_by_prefix
from worker.trainer.randomness import seeded
from worker.trainer.teachers import score_teachers

RECORD = Record(id="0", line=1, prompt="-", answer="-")


def draw(length: int, seed: int) -> list[int]:
    generator = torch.Generator().manual_seed(seed)
    return torch.randint(3, 259, (length,), generator=generator).tolist()


@pytest.mark.parametrize(
    ("lengths", "expected"),
    [
        # What all begin with; a question for each two; what all begin with, for the last two.
        ({"a": 30, "b": 60, "c": 60}, [(30, "def"), (90, "01"), (90, "23")]),
        # Next to a long beginning that all share, short questions are not worth apart.
        ({"a": 90, "b": 20, "c": 20}, [(90, "0123def")]),
        ({"a": 0, "b": SHORTEST, "c": SHORTEST - 1}, [(0, "23def"), (SHORTEST, "01")]),
        ({"a": 0, "b": 0, "c": 0}, [(0, "0123def")]),
    ],
)
def test_prompts_are_grouped_so_that_most_is_saved(lengths, expected):
    a, b, c = (draw(length, seed) for seed, length in enumerate(lengths.values()))
    prompts = {
        **{str(index): a + b + [index, 9] for index in (0, 1)},
        **{str(index): a + c + [index, 9] for index in (2, 3)},
        **{name: [*a, ord(name), 7] for name in "def"},
    }
    groups = group_by_prefix(list(prompts.values()))
    names = list(prompts)
    found = [(g.length, "".join(sorted(names[i] for i in g.members))) for g in groups]
    assert sorted(found) == sorted(expected)


@given(st.lists(st.lists(st.integers(0, 1), min_size=1, max_size=60), max_size=8))
def test_groups_hold_every_prompt_once_and_only_what_is_common(tails):
    start = draw(SHORTEST - 2, 0)
    prompts = [start + tail for tail in tails]
    groups = group_by_prefix(prompts)
    assert sorted(i for group in groups for i in group.members) == list(range(len(prompts)))
    for members, length in groups:
        assert length == 0 or (length >= SHORTEST and len(members) > 1)
        assert len({tuple(prompts[i][:length]) for i in members}) == 1
        assert all(len(prompts[i]) > length for i in members)
    if len(prompts) > 1:  # at least what the best pair alone saves
        pairs = [group_by_prefix(list(pair)) for pair in combinations(prompts, 2)]
        best = max(group.saved for pair in pairs for group in pair)
        assert sum(group.saved for group in groups) >= best


def test_the_same_prompt_twice_keeps_its_last_token():
    prompt = draw(40, 0)
    assert group_by_prefix([prompt, prompt]) == [Group([0, 1], 39)]


def examples() -> list[Example]:
    """Views of many kinds: long and short questions, nothing in common, tiny prompts."""
    system, lead = draw(20, 1), draw(25, 2)
    found = []
    for index, question in enumerate((150, 40, 7, 3)):
        asked = system + draw(question, 10 + index)

        def view(start, length, seed, index=index):
            return View("", start + draw(length, 100 * index + seed))

        found.append(
            Example(
                RECORD,
                view(asked, 3, 1),
                view(asked, 60, 2),
                (view(system + lead, 90, 3), view(system + lead, 9, 4))[: 1 + index % 2],
                view(asked, 11, 5) if index != 1 else None,
            )
        )
    stranger = Example(RECORD, View("", [9]), View("", [8, 7]), (View("", draw(200, 3)),), None)
    return [*found, stranger]


def network_of(family: str, folder: Path, dtype: torch.dtype = torch.float32):
    config = RunConfig.model_validate(
        tiny_config(
            make_model(family, folder),
            Path("-"),
            teacher={"weights": "ema"},
            objective={"agreement": {"views": 2}, "contrastive": {}, "feature_matching": {}},
            # Several passes, of prefixes and of what follows them.
            training={"batch_size": 2},
        )
    )
    tokenizer = load_tokenizer(config.model)
    network = load_network(config.model, tokenizer, torch.device("cpu"), dtype, seed=1)
    with seeded(5, network.device), torch.no_grad():
        for parameter in network.trainable():
            parameter.add_(0.1 * torch.randn(parameter.shape))
    add_ema(network)
    return network, config


@pytest.mark.parametrize("family", FAMILIES)
def test_teachers_say_the_same_with_and_without_sharing(tmp_path, family):
    """Gemma's first layer looks back 64 tokens: less than some prefixes, more than others."""
    network, config = network_of(family, tmp_path)
    assert network.shares_prefixes
    network.causal.activation_checkpointing_enable({"use_reentrant": False})
    network.peft.train()
    completions = [draw(length, 7) for length in (8, 1, 30, 5, 2)]
    whole, shared = (
        score_teachers(replace(network, shares_prefixes=on), config, examples(), completions)
        for on in (False, True)
    )
    assert whole.tokens - shared.tokens > 300
    torch.testing.assert_close(shared.hidden_NH, whole.hidden_NH, rtol=1e-5, atol=1e-5)
    assert not whole.auxiliary_KN[0].isnan().any()
    for ours, theirs in (
        (shared.auxiliary_KN, whole.auxiliary_KN),
        (shared.negative_N, whole.negative_N),
    ):
        torch.testing.assert_close(ours, theirs, rtol=1e-5, atol=1e-5, equal_nan=True)


def test_bfloat16_is_as_far_from_float32_with_sharing_as_without(tmp_path):
    network, config = network_of("qwen2", tmp_path)
    completions = [draw(20, 7)] * 5
    exact = score_teachers(network, config, examples(), completions).hidden_NH
    rounded, config = network_of("qwen2", tmp_path, torch.bfloat16)
    errors = [
        (score_teachers(one, config, examples(), completions).hidden_NH - exact).norm()
        for one in (rounded, replace(rounded, shares_prefixes=False))
    ]
    assert errors[0] < 1.3 * errors[1]


def test_a_model_with_another_memory_is_not_shared(tmp_path):
    """Some layers pass on a state; others would show a prefix at the wrong positions."""
    network, _ = network_of("qwen2", tmp_path)
    assert can_share(network)
    config = network.causal.config
    config.layer_types = ["linear_attention", "full_attention"]
    assert not can_share(network)
    config.layer_types = ["full_attention"] * 2
    model = network.causal.base_model
    forward = model.forward
    model.forward = lambda position_ids=None, **rest: forward(**rest)
    assert not can_share(network)


@given(st.lists(st.integers(0, 90), min_size=1, max_size=30), st.integers(1, 5))
def test_batches_of_like_length_hold_all_and_fit(lengths, rows):
    """And never more padding than the pass costs that one more cut would need."""
    for device, worth in (("cpu", 32), ("cuda", 1024)):
        batches = like_lengths(lengths, rows, device)
        assert sorted(i for batch in batches for i in batch) == list(range(len(lengths)))
        for batch in batches:
            sizes = [lengths[i] for i in batch]
            assert sizes == sorted(sizes)
            assert len(batch) * sizes[-1] <= rows * max(lengths)
            cuts = [cut * (sizes[-1] - sizes[cut - 1]) for cut in range(1, len(batch))]
            assert max(cuts, default=0) <= worth
    assert len(like_lengths([50] * 12, 4, "cpu")) == 3
