"""Tiny random models of three architectures go through every mechanism and baseline."""

from __future__ import annotations

from pathlib import Path

import pyarrow.parquet as pq
import pytest
import torch

from core.presets import PRESETS, merge
from tests.worker.trainer.test_training import losses, of_kind, train
from tests.worker.trainer.tiny import make_tiny_tokenizer, tiny_config

FAMILIES = ("qwen2", "llama", "gemma3")


def make_model(family: str, folder: Path) -> Path:
    """Two layers, hidden size 32, a head of its own for Llama, tied for the others."""
    from transformers import (
        Gemma3ForCausalLM,
        Gemma3TextConfig,
        LlamaConfig,
        LlamaForCausalLM,
        Qwen2Config,
        Qwen2ForCausalLM,
    )

    tokenizer = make_tiny_tokenizer()
    sizes = {
        "vocab_size": len(tokenizer),
        "hidden_size": 32,
        "intermediate_size": 64,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
        "max_position_embeddings": 2048,
        "initializer_range": 0.3,
        "bos_token_id": 1,
        "eos_token_id": 2,
        "pad_token_id": 2,
    }
    kinds = {
        "qwen2": lambda: Qwen2ForCausalLM(Qwen2Config(**sizes, tie_word_embeddings=True)),
        "llama": lambda: LlamaForCausalLM(LlamaConfig(**sizes, tie_word_embeddings=False)),
        "gemma3": lambda: Gemma3ForCausalLM(
            Gemma3TextConfig(
                **sizes,
                head_dim=8,
                sliding_window=64,
                layer_types=["sliding_attention", "full_attention"],
                query_pre_attn_scalar=8,
            )
        ),
    }
    with torch.random.fork_rng([]):
        torch.manual_seed(0)
        kinds[family]().save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


@pytest.fixture(scope="module", params=FAMILIES)
def model(request, tmp_path_factory):
    return make_model(request.param, tmp_path_factory.mktemp(request.param))


@pytest.fixture(scope="module")
def choices(tmp_path_factory):
    """Multiple-choice records, so that negatives can be written."""
    import json

    path = tmp_path_factory.mktemp("choices") / "records.jsonl"
    rows = [
        {
            "id": f"c{index}",
            "question": f"What is {index} + 1?",
            "choices": [str(index), str(index + 1), str(index + 2)],
            "answer": str(index + 1),
            "rationale": f"One after {index}.",
        }
        for index in range(8)
    ]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


@pytest.mark.parametrize("preset", PRESETS)
def test_every_preset_trains(tmp_path, monkeypatch, model, choices, preset):
    if "retrieval" in preset:
        pytest.importorskip("sentence_transformers")
    monkeypatch.setenv("UNISD_CACHE_DIR", str(tmp_path / "cache"))
    base = tiny_config(
        model,
        choices,
        training={"max_steps": 2, "gradient_accumulation_steps": 2},
        teacher={"ema": {"every_steps": 1}},
        generation={"max_completion_length": 6, "max_prompt_length": 900},
        recording={"trajectories_per_step": 4, "pinned_examples": 1, "pinned_every_steps": 2},
    )
    out = train(tmp_path, {"preset": preset, **merge(PRESETS[preset].settings, base)})
    found = losses(out)
    assert len(found) == 2
    assert all(abs(loss) < 100 for loss in found)
    metrics = of_kind(out, "metrics")[-1].values
    terms = [value for name, value in metrics.items() if name.startswith("train/loss/")]
    assert sum(terms) == pytest.approx(metrics["train/loss"], rel=1e-6)
    # Every rollout of the batch was recorded: their tokens' shares are the logged loss.
    for step, loss in enumerate(found, start=1):
        table = pq.read_table(out / "trajectories" / "step-000001.parquet").to_pylist()
        rows = [row for row in table if row["step"] == step and not row["pinned"]]
        assert len(rows) == 4
        shares = [share for row in rows for share in row["contribution"]]
        assert sum(shares) == pytest.approx(loss, rel=1e-4)
        for row in rows:
            columns = [row[name] for name in row if name.startswith("contribution_")]
            parts = [column for column in columns if column is not None]
            assert [sum(tokens) for tokens in zip(*parts, strict=True)] == pytest.approx(
                row["contribution"], rel=1e-4, abs=1e-9
            )


def test_both_ways_of_running_a_model_agree(model):
    """Sampling (static cache, folded, left padding) and scoring (no cache, right padding)."""
    from core.config import RunConfig
    from worker.trainer.chat import load_tokenizer
    from worker.trainer.interrupt import Interrupt
    from worker.trainer.layout import completion_hidden, lay_out
    from worker.trainer.model import load_network
    from worker.trainer.rollout import Sampling, TransformersSampler

    config = RunConfig.model_validate(tiny_config(model, Path("-")))
    network = load_network(
        config.model, load_tokenizer(config.model), torch.device("cpu"), torch.float32, seed=1
    )
    with torch.no_grad():
        for index, parameter in enumerate(network.trainable()):
            generator = torch.Generator().manual_seed(index)
            parameter.add_(0.1 * torch.randn(parameter.shape, generator=generator))
    prompts = [list(range(3, 3 + length)) for length in (90, 5, 40)]
    greedy = Sampling(temperature=0.05, top_p=1.0, top_k=1, max_tokens=30)
    sampler = TransformersSampler(network, Interrupt())
    rollouts = sampler.sample(prompts, greedy, [0, 1, 2])
    network.peft.eval()
    layout = lay_out(prompts, [rollout.ids for rollout in rollouts], network)
    with torch.no_grad():
        logits = completion_hidden(network, layout) @ network.head_VH.T
    assert logits.argmax(-1).tolist() == [token for rollout in rollouts for token in rollout.ids]


def test_our_attention_is_that_of_transformers(model):
    from transformers import AutoModelForCausalLM

    from worker.trainer import attention

    network = AutoModelForCausalLM.from_pretrained(model)
    ids = torch.arange(3, 123).view(1, -1).repeat(2, 1)
    mask = torch.ones_like(ids)
    mask[0, :30] = 0
    positions = (mask.cumsum(-1) - 1).clamp_min(0)
    results = []
    for name in ("eager", attention.NAME):
        network.set_attn_implementation(name)
        network.zero_grad()
        logits = network(input_ids=ids, attention_mask=mask, position_ids=positions).logits
        kept = logits[mask.bool()]
        with torch.no_grad():  # in halves
            again = network(input_ids=ids, attention_mask=mask, position_ids=positions).logits
        torch.testing.assert_close(again[mask.bool()], kept.detach(), rtol=1e-3, atol=1e-4)
        kept.square().mean().backward()
        results.append([kept.detach(), *(p.grad.clone() for p in network.parameters())])
    for theirs, ours in zip(*results, strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-3, atol=1e-4)
