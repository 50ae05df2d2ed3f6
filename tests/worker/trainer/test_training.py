"""Whole runs of a tiny model: what they write, and that the numbers are what the method says."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pyarrow.parquet as pq
import pytest
import torch
import yaml
from peft import PeftModel
from safetensors.torch import load_file
from transformers import AutoModelForCausalLM, AutoTokenizer

from core.config import RunConfig
from core.events import train_event_adapter
from tests.worker.trainer.tiny import make_records, tiny_config
from worker.trainer.__main__ import main


def train(folder: Path, config: dict, *, status: int = 0) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / "given.yaml"
    file.write_text(yaml.safe_dump(config))
    out = folder / "out"
    assert main([str(file), "--out", str(out)]) == status
    return out


def events(out: Path) -> list:
    lines = (out / "events.jsonl").read_text().splitlines()
    return [train_event_adapter.validate_json(line) for line in lines]


def of_kind(out: Path, kind: str) -> list:
    return [event for event in events(out) if event.kind == kind]


def losses(out: Path) -> list[float]:
    return [
        event.values["train/loss"]
        for event in of_kind(out, "metrics")
        if "train/loss" in event.values
    ]


@pytest.fixture(scope="module")
def config(tiny_model, records):
    return tiny_config(
        tiny_model,
        records,
        evaluation={"examples": 2, "every_steps": 2},
        recording={
            "trajectories_per_step": 4,
            "pinned_examples": 1,
            "pinned_every_steps": 2,
            "top_k": 3,
        },
    )


@pytest.fixture(scope="module")
def out(tmp_path_factory, config):
    return train(tmp_path_factory.mktemp("run"), config)


def test_events_are_numbered_without_gaps_and_end_with_success(out):
    all_events = events(out)
    assert [event.seq for event in all_events] == list(range(len(all_events)))
    assert all_events[0].kind == "started"
    assert all_events[-1].kind == "finished"
    assert all_events[-1].outcome == "succeeded"
    phases = [event.phase for event in all_events if event.kind == "phase"]
    order = list(dict.fromkeys(phases))
    assert order == ["preparing", "loading", "evaluating", "training", "saving"]


def test_dataset_event_counts_every_record(out):
    (dataset,) = of_kind(out, "dataset")
    assert (dataset.records, dataset.train, dataset.held_out) == (12, 10, 2)
    assert dataset.dropped == {}


def test_metrics_are_complete_and_finite(out):
    metrics = of_kind(out, "metrics")
    trained = [event for event in metrics if "train/loss" in event.values]
    assert [event.step for event in trained] == [1, 2, 3]
    assert all(value is not None for event in metrics for value in event.values.values())
    values = trained[-1].values
    assert set(values) == {
        "train/loss", "train/loss/divergence", "train/grad_norm", "train/learning_rate",
        "train/completion_length", "train/truncated_share", "train/entropy/student",
        "train/entropy/teacher", "train/logprob/student", "train/logprob/teacher", "train/tokens",
        "train/epoch", "throughput/tokens_per_second", "throughput/rollout", "throughput/teacher",
        "throughput/student", "time/step", "time/rollout", "time/teacher",
        "time/student", "tokens/rollout", "tokens/teacher", "tokens/student",
            "memory/process_peak", "train/divergence", "train/repeated_share",
    }  # fmt: skip
    assert values["time/step"] >= values["time/rollout"] > 0
    for part in ("rollout", "teacher", "student"):
        rate = values[f"tokens/{part}"] / values[f"time/{part}"]
        assert values[f"throughput/{part}"] == pytest.approx(rate)
    assert values["train/epoch"] == trained[-1].epoch == pytest.approx(3 * 4 / 10)


def test_evaluation_before_during_and_after(out):
    evaluated = [event for event in of_kind(out, "metrics") if "eval/reference/nll" in event.values]
    assert [event.step for event in evaluated] == [0, 2, 3]
    nll = evaluated[0].values["eval/reference/nll"]
    assert evaluated[0].values["eval/reference/perplexity"] == pytest.approx(math.exp(nll))


def test_reference_nll_equals_a_computation_by_hand(out, tiny_model, records):
    tokenizer = AutoTokenizer.from_pretrained(tiny_model)
    model = AutoModelForCausalLM.from_pretrained(tiny_model)
    total, count = 0.0, 0
    for row in map(json.loads, records.read_text().splitlines()[-2:]):
        prompt = f"<|im_start|>user\n{row['question']}<|im_end|>\n<|im_start|>assistant\n"
        reference = f"{row['rationale']}\nAnswer: {row['answer']}<|im_end|>"
        start = len(tokenizer(prompt)["input_ids"])
        ids = torch.tensor([tokenizer(prompt + reference)["input_ids"]])
        with torch.no_grad():
            logprobs = model(input_ids=ids).logits[0].log_softmax(-1)
        for position in range(start, ids.shape[1]):
            total -= logprobs[position - 1, ids[0, position]].item()
            count += 1
    reported = of_kind(out, "metrics")[0].values["eval/reference/nll"]
    assert reported == pytest.approx(total / count, rel=1e-5)


def test_frozen_configuration_is_the_one_that_was_given(out, config):
    frozen = RunConfig.model_validate(yaml.safe_load((out / "run.yaml").read_text()))
    assert frozen == RunConfig.model_validate(config)


def rows(out: Path) -> list[dict]:
    files = sorted((out / "trajectories").glob("*.parquet"))
    return [row for file in files for row in pq.read_table(file).to_pylist()]


def test_contributions_add_up_to_the_logged_loss(out):
    recorded = [row for row in rows(out) if not row["pinned"]]
    for step, loss in enumerate(losses(out), start=1):
        of_step = [row for row in recorded if row["step"] == step]
        assert len(of_step) == 4  # the whole global batch
        total = sum(sum(row["contribution"]) for row in of_step)
        assert total == pytest.approx(loss, rel=1e-4)


def test_rows_have_one_value_per_token(out):
    for row in rows(out):
        count = len(row["token_ids"])
        assert 1 <= count <= 8
        for column in (
            "tokens", "student_logprob", "teacher_logprob", "divergence", "entropy_student",
            "entropy_teacher", "topk_student_ids", "topk_student_logprobs", "topk_student_texts",
            "topk_teacher_ids", "topk_teacher_logprobs", "topk_teacher_texts",
        ):  # fmt: skip
            assert len(row[column]) == count, column
        assert {len(top) for top in row["topk_student_ids"]} == {3}
        assert "".join(row["tokens"]) == row["completion"]
        assert row["student_prompt_text"].endswith("<|im_start|>assistant\n")
        assert "worked through" in row["teacher_prompt_text"]
        assert (row["contribution"] is None) == row["pinned"]
        assert row["teacher_prompt_tokens"] > row["student_prompt_tokens"]
        assert row["truncated"] == (row["token_ids"][-1] != 2)


def test_one_event_per_row_after_its_file_and_metrics(out):
    recorded = of_kind(out, "trajectory")
    for event in recorded:
        row = pq.read_table(out / event.file).to_pylist()[event.row]
        assert (row["record_id"], row["pinned"], row["step"]) == (
            event.record_id, event.pinned, event.step,
        )  # fmt: skip
        assert event.divergence == pytest.approx(sum(row["divergence"]) / len(row["divergence"]))
        assert event.tokens == len(row["token_ids"])
    assert len(recorded) == len(rows(out))
    assert [event.step for event in recorded if event.pinned] == [1, 3]
    kinds = [event.kind for event in events(out)]
    assert kinds.index("trajectory") > kinds.index("metrics", kinds.index("metrics") + 1)


def test_pinned_rows_follow_the_first_training_records(out):
    pinned = [row for row in rows(out) if row["pinned"]]
    assert [row["record_id"] for row in pinned] == ["r0", "r0"]


def test_recorded_values_equal_a_forward_pass_by_hand(out, tiny_model):
    """At step 1 the student is still the base, so both views come from the plain model."""
    tokenizer = AutoTokenizer.from_pretrained(tiny_model)
    model = AutoModelForCausalLM.from_pretrained(tiny_model)
    row = next(row for row in rows(out) if row["step"] == 1 and not row["pinned"])
    views = {}
    for view in ("student", "teacher"):
        prompt = tokenizer(row[f"{view}_prompt_text"])["input_ids"]
        ids = torch.tensor([prompt + row["token_ids"]])
        with torch.no_grad():
            logits = model(input_ids=ids).logits[0, len(prompt) - 1 : -1]
        views[view] = (logits / 0.7).log_softmax(-1)
        sampled = views[view].gather(-1, torch.tensor(row["token_ids"])[:, None])[:, 0]
        torch.testing.assert_close(
            sampled, torch.tensor(row[f"{view}_logprob"]), rtol=1e-4, atol=1e-5
        )
    p, q = views["teacher"], views["student"]
    divergence = (p.exp() * (p - q)).sum(-1)
    torch.testing.assert_close(divergence, torch.tensor(row["divergence"]), rtol=1e-3, atol=1e-5)


@pytest.mark.filterwarnings("ignore:.*is_gradient_checkpointing.*:FutureWarning")
def test_adapter_loads_with_peft_and_changes_the_model(out, tiny_model):
    ids = torch.arange(3, 40)[None]
    base = AutoModelForCausalLM.from_pretrained(tiny_model)
    with torch.no_grad():
        before = base(input_ids=ids).logits
        tuned = PeftModel.from_pretrained(base, out / "adapter")
        after = tuned(input_ids=ids).logits
        with tuned.disable_adapter():
            off = tuned(input_ids=ids).logits
    assert (before - after).abs().max() > 1e-3
    assert torch.equal(before, off)


def test_adapter_folder_is_complete(out, tiny_model):
    (artifact,) = of_kind(out, "artifact")
    folder = out / artifact.path
    assert {file.name for file in folder.iterdir()} == {
        "README.md", "adapter_config.json", "adapter_model.safetensors",
    }  # fmt: skip
    assert artifact.bytes == sum(file.stat().st_size for file in folder.iterdir())
    assert json.loads((folder / "adapter_config.json").read_text())[
        "base_model_name_or_path"
    ] == str(tiny_model)
    weights = load_file(folder / "adapter_model.safetensors")
    assert {tensor.dtype for tensor in weights.values()} == {torch.float32}
    card = (folder / "README.md").read_text()
    (dataset,) = of_kind(out, "dataset")
    for part in (dataset.sha256, "eval/reference/nll", "Mean loss", "PeftModel", "library_name"):
        assert part in card
    assert not list(out.glob(".*"))


def test_the_same_seed_gives_the_same_run_and_another_one_another(tmp_path, config, out):
    again = train(tmp_path / "again", config)
    assert losses(again) == losses(out)
    first, second = (
        load_file(run / "adapter" / "adapter_model.safetensors") for run in (out, again)
    )
    assert all(torch.equal(first[name], second[name]) for name in first)
    # Recording and evaluation do not disturb the training's randomness.
    silent = config | {
        "recording": {"trajectories_per_step": 0, "pinned_examples": 0},
        "evaluation": {"examples": 2, "every_steps": 100},
    }
    assert losses(train(tmp_path / "silent", silent)) == losses(out)
    other = config | {"training": config["training"] | {"seed": 7}}
    assert losses(train(tmp_path / "other", other)) != losses(out)


@pytest.mark.parametrize("alpha", [0.5, 1.0])
def test_other_divergences_and_the_live_teacher_train(tmp_path, config, alpha):
    live = config | {"objective": {"alpha": alpha}, "teacher": {"weights": "student"}}
    out = train(tmp_path, live)
    assert all(math.isfinite(loss) and loss > 0 for loss in losses(out))


def test_bfloat16_weights_with_a_float32_adapter(tmp_path, config):
    half = config | {"model": config["model"] | {"dtype": "bfloat16"}}
    out = train(tmp_path, half)
    (started,) = of_kind(out, "started")
    assert started.dtype == "bfloat16"
    weights = load_file(out / "adapter" / "adapter_model.safetensors")
    assert {tensor.dtype for tensor in weights.values()} == {torch.float32}


def test_the_loss_falls_when_it_is_trained_for_long(tmp_path, tiny_model, records):
    config = tiny_config(
        tiny_model,
        records,
        training={"max_steps": 40, "learning_rate": 2e-2, "gradient_accumulation_steps": 1},
        recording={"trajectories_per_step": 0, "pinned_examples": 0},
    )
    curve = losses(train(tmp_path, config))
    assert sum(curve[-10:]) < 0.8 * sum(curve[:10])


def test_long_prompts_are_dropped_counted_and_named(tmp_path, tiny_model):
    data = make_records(tmp_path / "data.jsonl", 6)
    lines = data.read_text().splitlines()
    row = json.loads(lines[3])
    row["question"] = "long " * 100
    lines[3] = json.dumps(row)
    data.write_text("\n".join(lines) + "\n")
    out = train(tmp_path / "run", tiny_config(tiny_model, data, training={"max_steps": 1}))
    (dataset,) = of_kind(out, "dataset")
    assert dataset.dropped == {"prompt_too_long": 1}
    assert dataset.train == 5
    (warning,) = [event for event in of_kind(out, "log") if event.level == "warning"]
    assert "line 4" in warning.message
    assert "generation.max_prompt_length" in warning.message


COS_E = Path(__file__).parents[4] / "shared/data/cos_e/cos_e_v1.11_train.jsonl.gz"


@pytest.mark.skipif(not COS_E.is_file(), reason="the CoS-E records are not beside the repository")
def test_real_records_of_cos_e(tmp_path, tiny_model):
    config = tiny_config(
        tiny_model,
        COS_E,
        data={"format": "cos_e", "limit": 50},
        generation={"max_completion_length": 6, "max_prompt_length": 1000},
        evaluation={"examples": 5, "every_steps": 2},
    )
    out = train(tmp_path, config)
    (dataset,) = of_kind(out, "dataset")
    assert dataset.records == 50
    assert len(losses(out)) == 3
