"""What is recorded is what was trained: every value again, from a checkpoint, the plain way."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
import torch
from peft import LoraConfig, get_peft_model, set_peft_model_state_dict
from safetensors.torch import load_file
from torch.testing import assert_close
from transformers import AutoModelForCausalLM, AutoTokenizer

from core.presets import PRESETS, merge
from tests.worker.trainer.test_training import losses, of_kind, train
from tests.worker.trainer.tiny import tiny_config
from worker.trainer.trajectory_schema import SCHEMA

TEMPERATURE = 0.7
STEP = 3


def near(found, expected, what):
    expected = torch.tensor(expected, dtype=torch.float32)
    assert_close(found.float(), expected, rtol=1e-4, atol=1e-5, msg=lambda text: f"{what}: {text}")


@pytest.fixture(scope="module")
def choices(tmp_path_factory):
    path = tmp_path_factory.mktemp("choices") / "records.jsonl"
    rows = [
        {
            "id": f"c{index}",
            "question": f"What is {index} + 1?",
            "choices": [str(index), str(index + 1), str(index + 2)],
            "answer": str(index + 1),
            # Without one, a wrong option is a negative as it is; with one, this model writes none.
            "rationale": f"One after {index}." if index % 4 == 0 else None,
        }
        for index in range(8)
    ]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


@pytest.fixture(scope="module")
def out(tmp_path_factory, tiny_model, choices):
    """Three steps of UniSD* with clipping, of which every rollout is recorded."""
    base = tiny_config(
        tiny_model,
        choices,
        training={"max_steps": STEP, "checkpoint_every_steps": 1, "keep_checkpoints": 3},
        teacher={"weights": "ema", "ema": {"every_steps": 2, "decay": 0.5}},
        generation={"max_completion_length": 6, "max_prompt_length": 900},
        recording={"trajectories_per_step": 4, "pinned_examples": 1, "pinned_every_steps": 2},
        objective={"clipping": {"enabled": True, "quantile": 0.7}},
    )
    base["model"]["lora"]["dropout"] = 0.0  # what is scored with dropout cannot be scored again
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("UNISD_CACHE_DIR", str(tmp_path_factory.mktemp("cache")))
        configuration = merge(PRESETS["unisd_star"].settings, base)
        return train(tmp_path_factory.mktemp("run"), {"preset": "unisd_star", **configuration})


def adapted(folder, group, tiny_model):
    """Base and adapter as peft puts them together, from a checkpoint's file."""
    model = AutoModelForCausalLM.from_pretrained(tiny_model, dtype=torch.float32)
    weights = load_file(folder / f"{group}.safetensors")
    targets = sorted({name.split(".lora_")[0].rpartition(".")[2] for name in weights})
    network = get_peft_model(model, LoraConfig(r=4, lora_alpha=8, target_modules=targets))
    refused = set_peft_model_state_dict(network, weights)
    assert not refused.unexpected_keys
    return network.eval()


@torch.no_grad()
def heard(network, tokenizer, prompt, ids):
    """Logits and final hidden states where each token of `ids` is predicted."""
    begin = tokenizer(prompt)["input_ids"]
    given = torch.tensor([begin + ids])
    answer = network(input_ids=given, output_hidden_states=True)
    return (values[0, len(begin) - 1 : -1] for values in (answer.logits, answer.hidden_states[-1]))


def of_token(logits, ids, temperature):
    logprobs = (logits / temperature).log_softmax(-1)
    return logprobs, logprobs.gather(-1, torch.tensor(ids)[:, None])[:, 0]


@pytest.mark.filterwarnings("ignore:.*is_gradient_checkpointing.*:FutureWarning")
def test_every_value_is_that_of_the_checkpoint(out, tiny_model):
    tokenizer = AutoTokenizer.from_pretrained(tiny_model)
    checkpoint = out / "checkpoints" / f"step-{STEP - 1:08d}"
    student = adapted(checkpoint, "student", tiny_model)
    teacher = adapted(checkpoint, "ema", tiny_model)
    table = pq.read_table(out / "trajectories" / "step-000001.parquet").to_pylist()
    rows = [row for row in table if row["step"] == STEP and not row["pinned"]]
    assert len(rows) == 4
    spreads, divergences, plain = [], [], []
    for row in rows:
        ids = row["token_ids"]
        logits, hidden = heard(student, tokenizer, row["student_prompt_text"], ids)
        q, s = of_token(logits, ids, TEMPERATURE)
        logits, teachers_hidden = heard(teacher, tokenizer, row["teacher_prompt_text"], ids)
        p, t = of_token(logits, ids, TEMPERATURE)
        views = torch.stack(
            [
                of_token(next(heard(teacher, tokenizer, prompt, ids)), ids, 1.0)[1]
                for prompt in row["auxiliary_prompt_texts"]
            ]
        )
        divergence = (p.exp() * (p - q)).sum(-1)
        disagreement = views.var(0, correction=1)
        features = (hidden - teachers_hidden).square().mean(-1)
        near(s, row["student_logprob"], "student")
        near(t, row["teacher_logprob"], "teacher")
        near(views, row["auxiliary_logprobs"], "auxiliary teachers")
        near(divergence, row["divergence"], "divergence")
        near(disagreement, row["disagreement"], "disagreement")
        near(features, row["feature_distance"], "features")
        near(-(q.exp() * q).sum(-1), row["entropy_student"], "student's entropy")
        near(q.topk(3).values, [top[:3] for top in row["topk_student_logprobs"]], "alternatives")
        contrastive = torch.zeros(len(ids))
        if row["negative_prompt_text"] is not None:
            logits, _ = heard(teacher, tokenizer, row["negative_prompt_text"], ids)
            n = of_token(logits, ids, TEMPERATURE)[1]
            near(n, row["negative_logprob"], "negative teacher")
            contrastive = (0.5 + (s - t).abs() - (s - n).abs()).clamp_min(0)
            near(contrastive, row["contrastive"], "contrastive")
        spreads.append(disagreement)
        divergences.append(divergence)
        plain.append((row, divergence, disagreement, contrastive, features))
    assert any(row["negative_logprob"] for row in rows)
    scale = float(np.quantile(torch.cat(spreads).numpy(), 0.95))
    ceiling = float(np.quantile(torch.cat(divergences).numpy(), 0.7))
    for row, divergence, disagreement, contrastive, features in plain:
        count = len(row["token_ids"])
        weight = (1 / (1 + (disagreement / scale).clamp_max(10))).clamp_min(0.01)
        clipped = divergence.clamp_max(ceiling)
        near(weight, row["weight"], "weight")
        near(clipped, row["divergence_clipped"], "clipped")
        near(weight * clipped / count / 4, row["contribution_divergence"], "share of divergence")
        near(0.1 * contrastive / count / 4, row["contribution_contrastive"], "of contrastive")
        near(0.1 * features / count / 4, row["contribution_feature"], "of features")
        assert row["clip_ceiling"] == pytest.approx(ceiling, rel=1e-4)
        assert row["agreement_scale"] == pytest.approx(scale, rel=1e-4)


def test_a_record_holds_all_that_its_loss_was_made_with(out):
    """Weights, clipping and shares again, from nothing but the columns; and they are the loss."""
    table = pq.read_table(out / "trajectories" / "step-000001.parquet").to_pylist()
    for step, loss in enumerate(losses(out), start=1):
        rows = [row for row in table if row["step"] == step and not row["pinned"]]
        assert [row["batch_loss"] for row in rows] == [loss] * 4
        total = 0.0
        for row in rows:
            values = {name: np.array(row[name]) for name in ("divergence", "disagreement")}
            ratio = np.minimum(values["disagreement"] / row["agreement_scale"], 10)
            weight = np.maximum(1 / (1 + row["agreement_gamma"] * ratio), 0.01)
            assert weight == pytest.approx(row["weight"], rel=1e-6)
            clipped = np.minimum(values["divergence"], row["clip_ceiling"])
            share = row["counted"] / len(row["token_ids"]) / row["batch_sequences"]
            contrastive = np.array(row["contrastive"] or [0.0])
            total += share * (
                (weight * clipped).sum()
                + row["contrastive_weight"] * contrastive.sum()
                + row["feature_weight"] * np.sum(row["feature_distance"])
            )
            views = np.array(row["auxiliary_logprobs"])
            assert views.var(0, ddof=1) == pytest.approx(row["disagreement"], rel=1e-4)
            assert row["agreement_scale"] == row["agreement_scale_variance"]
            assert row["agreement_scale_range"] > 0
            assert len(row["divergence_quantiles"]) == 101
            assert row["divergence_quantiles"][70] == pytest.approx(row["clip_ceiling"], rel=1e-6)
        assert total == pytest.approx(loss, rel=1e-5)


def test_summaries_are_those_of_the_tokens(out):
    table = pq.read_table(out / "trajectories" / "step-000001.parquet").to_pylist()
    recorded = of_kind(out, "trajectory")
    assert [event.row for event in recorded] == list(range(len(table))) == list(range(14))
    assert {event.pinned for event in recorded} == {True, False}
    for event, row in zip(recorded, table, strict=True):
        for name in ("divergence", "disagreement", "weight", "feature_distance"):
            assert getattr(event, name) == pytest.approx(np.mean(row[name]))
        assert event.disagreement_max == max(row["disagreement"])
        assert event.grade == row["grade"] == float(row["extracted"] == row["reference"][:1])
        assert row["parts"][-1] == "end" or row["truncated"]
        if row["pinned"]:  # no quantile of a global batch, so nothing is clipped
            assert (event.clipped_share, event.loss, row["batch_sequences"]) == (None, None, None)
        else:
            assert event.loss == pytest.approx(sum(row["contribution"]))
            clipped = np.array(row["divergence"]) >= row["clip_ceiling"]
            assert event.clipped_share == clipped.mean()
        if row["contrastive"] is not None:
            assert event.contrastive_share == np.mean(np.array(row["contrastive"]) > 0)


def test_the_files_are_what_the_document_says(out, monkeypatch):
    """Every column is explained, none is made up, and the document's example runs on a real run."""
    page = (Path(__file__).parents[3] / "docs" / "trajectories.md").read_text()
    table = page.split("## Columns")[1].split("## Numbers")[0]
    explained = {
        name
        for line in table.splitlines()
        if line.startswith("| `")
        for name in re.findall(r"`(\w+)`", line.split("|")[1])
    }
    assert explained == set(SCHEMA.names)
    rollouts = pq.read_table(out / "trajectories")
    assert rollouts.schema.names == SCHEMA.names
    monkeypatch.chdir(out.parent)
    scope: dict = {}
    example = page.split("```python\n")[1].split("```")[0]
    exec(example, scope)
    assert len(scope["rollouts"]) == rollouts.num_rows
    wrong = sum(grade == 0 for grade in rollouts["grade"].to_pylist())
    assert len(scope["wrong"]) == wrong > 0
