"""The memory formula against what a real pass keeps and a real process takes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
import yaml

from core.config import RunConfig
from core.memory import token_bytes
from tests.worker.trainer.test_families import make_model
from tests.worker.trainer.tiny import tiny_config
from worker.trainer.__main__ import main
from worker.trainer.chat import load_tokenizer
from worker.trainer.estimate import decoder_of, estimate
from worker.trainer.model import load_network


@pytest.mark.parametrize("family", ["qwen2", "llama"])
@pytest.mark.parametrize("length", [16, 64])
def test_kept_activations_are_counted_exactly(tmp_path, family, length):
    raw = tiny_config(make_model(family, tmp_path), Path("-"))
    raw["model"] |= {"lora": {"rank": 4, "alpha": 8, "dropout": 0}, "dtype": "bfloat16"}
    config = RunConfig.model_validate(raw)
    network = load_network(
        config.model, load_tokenizer(config.model), torch.device("cpu"), torch.bfloat16, seed=0
    )
    network.peft.train()
    kept: dict[int, int] = {}
    weights = {p.untyped_storage().data_ptr() for p in network.peft.parameters()}

    def keep(tensor: torch.Tensor) -> torch.Tensor:
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in weights:
            kept[storage.data_ptr()] = storage.nbytes()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        hidden = network.hidden(torch.randint(3, 200, (4, length)))
    shape = network.causal.config
    expected = token_bytes(decoder_of(shape), 2, 4, 7, length, grouped=True)
    layers = shape.num_hidden_layers
    assert sum(kept.values()) / (4 * length * layers) == pytest.approx(expected, rel=0.1)
    assert hidden.requires_grad


def test_larger_runs_need_more(tiny_model):
    def peak(**parts):
        raw = tiny_config(tiny_model, Path("-"), **parts)
        return estimate(RunConfig.model_validate(raw), "cuda").peak

    plain = peak()
    assert peak(training={"batch_size": 8}) > plain
    assert peak(teacher={"weights": "ema"}) > plain
    long = {"max_completion_length": 400}
    checkpointed = {"batch_size": 8, "gradient_checkpointing": True}
    assert peak(generation=long, training=checkpointed) < peak(
        generation=long, training={"batch_size": 8}
    )


def test_the_command(tmp_path, tiny_model, capsys):
    file = tmp_path / "run.yaml"
    file.write_text(yaml.safe_dump(tiny_config(tiny_model, Path("-"))))
    assert main(["estimate", str(file)]) == 0
    assert "Peak" in capsys.readouterr().out
    assert main(["estimate", str(file), "--device", "cuda", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["peak"] >= found["base"] + found["adapters"]
