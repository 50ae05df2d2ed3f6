"""Evaluations of a tiny model from their configuration to their files."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml
from peft import PeftModel
from transformers import AutoModelForCausalLM

from core.events import train_event_adapter
from tests.worker.trainer.tiny import make_records, tiny_config
from worker.trainer.__main__ import main
from worker.trainer.adapter import load_adapter, shape_of
from worker.trainer.evaluation.answers import Writer
from worker.trainer.evaluation.rows import Rows
from worker.trainer.preparation.cache import Cache

LN2 = math.log(2)


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UNISD_CACHE_DIR", str(tmp_path / "cache"))


@pytest.fixture(scope="module")
def adapter(tiny_model: Path, records: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny run's adapter, with steps so large that it differs from the base."""
    folder = tmp_path_factory.mktemp("trained")
    config = tiny_config(tiny_model, records, training={"max_steps": 4, "learning_rate": 0.1})
    (folder / "run.yaml").write_text(yaml.safe_dump(config))
    assert main([str(folder / "run.yaml"), "--out", str(folder / "out")]) == 0
    return folder / "out" / "adapter"


@pytest.fixture(scope="module")
def questions(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("questions") / "questions.jsonl"
    rows = [
        {
            "id": f"q{n}",
            "question": f"Which of these is {n}{' and no other' * (n % 4)}?",
            "choices": [str(n + 1), str(n), str(n + 2)],
            "answer": str(n),
            "rationale": "It is." if n % 2 else None,
        }
        for n in range(7)
    ]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def job(model: Path, questions: Path, **settings: Any) -> dict[str, Any]:
    one = {"name": "own", "path": str(questions), "max_new_tokens": 8, "batch_size": 3, **settings}
    return {"model": {"name": str(model), "dtype": "float32"}, "sets": [one], "device": "cpu"}


def run(folder: Path, wanted: dict[str, Any], *more: str, status: int = 0) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "job.yaml").write_text(yaml.safe_dump(wanted))
    arguments = ["evaluate", str(folder / "job.yaml"), "--out", str(folder / "out"), *more]
    assert main(arguments) == status
    return folder / "out" / "own"


def rows(file: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in file.read_text().splitlines()[1:]]


def summary(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / "summary.json").read_text())
    return found


def test_twice_with_the_same_seed_is_twice_the_same(
    tmp_path: Path, tiny_model: Path, questions: Path, adapter: Path
) -> None:
    sampled = {"temperature": 0.9, "samples": 2, "retention": True}
    wanted = job(tiny_model, questions, **sampled) | {"adapter": str(adapter)}
    first, second = run(tmp_path / "1", wanted), run(tmp_path / "2", wanted)
    for name in ("answers.jsonl", "retention.jsonl", "summary.json"):
        assert (first / name).read_bytes() == (second / name).read_bytes()
    assert len(rows(first / "answers.jsonl")) == 14
    other = run(tmp_path / "3", wanted | {"seed": 7})
    texts = [[row["answer"] for row in rows(one / "answers.jsonl")] for one in (first, other)]
    assert texts[0] != texts[1]


def test_every_example_is_kept_with_what_made_it(
    tmp_path: Path, tiny_model: Path, questions: Path
) -> None:
    out = run(tmp_path, job(tiny_model, questions))
    settings = json.loads((out / "answers.jsonl").read_text().splitlines()[0])["settings"]
    assert settings["sampling"]["temperature"] == 0
    assert settings["versions"]["torch"] == torch.__version__
    assert len(settings["data_sha256"]) == 64
    row = sorted(rows(out / "answers.jsonl"), key=lambda row: row["index"])[1]
    assert row["id"] == "q1"
    assert row["prompt"].startswith("<|im_start|>user\nWhich of these is 1")
    assert row["prompt"].endswith("<|im_start|>assistant\n")
    assert row["reference"] == "B. 1"
    found = summary(out)
    assert (found["questions"], found["answers"]) == (7, 7)
    assert found["chance"] == pytest.approx(1 / 3)
    events = [
        train_event_adapter.validate_json(line)
        for line in (out.parent / "events.jsonl").read_text().splitlines()
    ]
    told = [event for event in events if event.kind == "evaluation"]
    assert [event.summary["accuracy"] for event in told] == [found["accuracy"]]
    assert events[-1].kind == "finished"


@pytest.mark.filterwarnings("ignore:`is_gradient_checkpointing`:FutureWarning")  # peft asks for it
def test_retention_is_that_of_a_naive_computation(
    tmp_path: Path, tiny_model: Path, questions: Path, adapter: Path
) -> None:
    wanted = job(tiny_model, questions, retention=True) | {"adapter": str(adapter)}
    out = run(tmp_path, wanted)
    base = AutoModelForCausalLM.from_pretrained(tiny_model, dtype=torch.float32)
    tuned = PeftModel.from_pretrained(
        AutoModelForCausalLM.from_pretrained(tiny_model, dtype=torch.float32), str(adapter)
    )
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(tiny_model)
    answers = {row["index"]: row for row in rows(out / "answers.jsonl")}
    compared = rows(out / "retention.jsonl")
    assert len(compared) == 7
    for row in compared:
        answer = answers[row["index"]]
        prompt = tokenizer(answer["prompt"], add_special_tokens=False)["input_ids"]
        found = _naive(base, tuned, prompt, answer["ids"])
        for name, values in found.items():
            assert row["forward"][name] == pytest.approx(sum(values) / len(values), abs=1e-5)
            assert row["forward"][f"token_{name}"] == pytest.approx(values, abs=1e-5)
        assert 0 <= row["forward"]["jsd"] <= LN2
        assert "".join(row["forward"]["pieces"]) == tokenizer.decode(answer["ids"])
        assert len(row["reverse"]["token_jsd"]) == row["reverse"]["tokens"]
    assert any(row["forward"]["jsd"] > 1e-3 for row in compared)
    means = summary(out)["retention"]["forward"]
    expected = sum(row["forward"]["base_logprob"] for row in compared) / 7
    assert means["base_logprob"]["mean"] == pytest.approx(expected)
    assert means["base_perplexity"] == pytest.approx(math.exp(-expected))


@torch.no_grad()
def _naive(base: Any, tuned: Any, prompt: list[int], ids: list[int]) -> dict[str, list[float]]:
    """Token by token: log-probabilities under both, and their divergence."""
    whole = torch.tensor([prompt + ids])
    p, q = (
        torch.log_softmax(model(whole).logits[0, len(prompt) - 1 : -1].double(), -1)
        for model in (base, tuned)
    )
    middle = torch.logaddexp(p, q) - LN2
    jsd = 0.5 * (p.exp() * (p - middle)).sum(-1) + 0.5 * (q.exp() * (q - middle)).sum(-1)
    targets = torch.tensor(ids)[:, None]
    return {
        "base_logprob": p.gather(1, targets)[:, 0].tolist(),
        "tuned_logprob": q.gather(1, targets)[:, 0].tolist(),
        "jsd": jsd.tolist(),
    }


def test_a_model_against_itself_has_lost_nothing(
    tmp_path: Path, tiny_model: Path, questions: Path
) -> None:
    out = run(tmp_path, job(tiny_model, questions, retention=True))
    for row in rows(out / "retention.jsonl"):
        for direction in ("forward", "reverse", "gold"):
            assert row[direction]["jsd"] == 0
            assert row[direction]["base_logprob"] == row[direction]["tuned_logprob"]


def test_batches_and_order_change_nothing(
    tmp_path: Path, tiny_model: Path, questions: Path, adapter: Path
) -> None:
    backwards = tmp_path / "backwards.jsonl"
    backwards.write_text("".join(f"{x}\n" for x in questions.read_text().splitlines()[::-1]))
    found = []
    for number, (file, size) in enumerate([(questions, 1), (questions, 7), (backwards, 3)]):
        wanted = job(tiny_model, file, retention=True, batch_size=size)
        out = run(tmp_path / str(number), wanted | {"adapter": str(adapter)})
        answers = {row["id"]: row["answer"] for row in rows(out / "answers.jsonl")}
        kept = {row["id"]: row for row in rows(out / "retention.jsonl")}
        found.append((answers, kept))
    for answers, kept in found[1:]:
        assert answers == found[0][0]
        for one, row in kept.items():
            for direction in ("forward", "reverse", "gold"):
                for name in ("base_logprob", "tuned_logprob", "jsd"):
                    expected = found[0][1][one][direction][name]
                    assert row[direction][name] == pytest.approx(expected, abs=1e-5)


def test_an_evaluation_goes_on_where_it_was_cut_off(
    tmp_path: Path, tiny_model: Path, questions: Path, adapter: Path, monkeypatch: Any
) -> None:
    wanted = job(tiny_model, questions, retention=True) | {"adapter": str(adapter)}
    whole = run(tmp_path / "whole", wanted)
    results = tmp_path / "results" / "own"
    results.mkdir(parents=True)
    lines = (whole / "answers.jsonl").read_bytes().splitlines(keepends=True)
    (results / "answers.jsonl").write_bytes(b"".join(lines[:4]) + lines[4][:30])
    asked: list[int] = []
    write = Writer.write

    def counting(self: Writer, questions: Any, items: Any, weights: str, finished: Any) -> None:
        if weights == "student":
            asked.extend(item.question for item in items)
        write(self, questions, items, weights, finished)

    monkeypatch.setattr(Writer, "write", counting)
    run(tmp_path / "again", wanted, "--results", str(tmp_path / "results"))
    assert len(asked) == 4
    for name in ("answers.jsonl", "retention.jsonl"):
        of = [
            sorted(rows(folder / name), key=lambda row: row["index"]) for folder in (whole, results)
        ]
        assert of[0] == of[1]
    assert summary(results) == summary(whole)


def test_results_of_other_settings_are_not_mixed(
    tmp_path: Path, tiny_model: Path, questions: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run(tmp_path / "1", job(tiny_model, questions), "--results", str(tmp_path / "r"))
    other = job(tiny_model, questions, max_new_tokens=4)
    run(tmp_path / "2", other, "--results", str(tmp_path / "r"), status=2)
    assert "results_of_another" in capsys.readouterr().err
    rows_of = Rows(tmp_path / "r" / "own" / "answers.jsonl", {"other": 1}, replace=True)
    assert rows_of.by_key == {}
    assert (tmp_path / "r" / "own" / "answers.old").is_file()


def test_a_mistake_in_the_configuration_does_not_use_up_the_folder(
    tmp_path: Path, tiny_model: Path, questions: Path
) -> None:
    wanted = job(tiny_model, questions)
    run(tmp_path, wanted | {"colour": 1}, status=2)
    run(tmp_path, wanted)


def test_an_adapter_that_names_another_base_is_told(
    tmp_path: Path, tiny_model: Path, questions: Path, adapter: Path
) -> None:
    other = tmp_path / "adapter"
    other.mkdir()
    for file in adapter.iterdir():
        (other / file.name).write_bytes(file.read_bytes())
    config = json.loads((other / "adapter_config.json").read_text())
    named = config | {"base_model_name_or_path": "somebody/else"}
    (other / "adapter_config.json").write_text(json.dumps(named))
    out = run(tmp_path / "run", job(tiny_model, questions) | {"adapter": str(other)})
    assert "somebody/else" in (out.parent / "events.jsonl").read_text()


def test_the_answers_of_the_base_are_kept_for_all(
    tmp_path: Path, tiny_model: Path, questions: Path, adapter: Path, monkeypatch: Any
) -> None:
    wanted = job(tiny_model, questions, retention=True)
    run(tmp_path / "base", wanted)
    puts: list[Any] = []
    put = Cache.put
    monkeypatch.setattr(Cache, "put", lambda *given: (puts.append(given), put(*given)))
    run(tmp_path / "tuned", wanted | {"adapter": str(adapter)})
    assert puts == []


def test_few_shot_examples_come_before_the_question_and_are_none_of_those_asked(
    tmp_path: Path, tiny_model: Path, questions: Path
) -> None:
    out = run(tmp_path, job(tiny_model, questions, few_shot=2, limit=4))
    for row in rows(out / "answers.jsonl"):
        assert row["prompt"].count("<|im_start|>user") == 3
        for other in range(4):
            shown = f"Which of these is {other}"
            assert row["prompt"].count(f"{shown}?") + row["prompt"].count(f"{shown} and") == (
                row["id"] == f"q{other}"
            )


@pytest.mark.parametrize(
    ("spoil", "code"),
    [
        (lambda wanted: wanted | {"adapter": "/nowhere"}, "adapter_not_found"),
        (lambda wanted: wanted | {"sets": []}, "config_invalid"),
        (lambda wanted: wanted | {"sets": wanted["sets"] * 2}, "config_invalid"),
        (lambda wanted: wanted | {"color": 1}, "config_invalid"),
    ],
)
def test_mistakes_are_told(
    tmp_path: Path,
    tiny_model: Path,
    questions: Path,
    spoil: Any,
    code: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    run(tmp_path, spoil(job(tiny_model, questions)), status=2)
    assert code in capsys.readouterr().err


def test_an_adapter_for_another_model_is_refused(
    tmp_path: Path, tiny_model: Path, questions: Path, adapter: Path, capsys: Any
) -> None:
    spoilt = tmp_path / "adapter"
    spoilt.mkdir()
    for file in adapter.iterdir():
        (spoilt / file.name).write_bytes(file.read_bytes())
    config = json.loads((spoilt / "adapter_config.json").read_text())
    for change, told in (({"r": 2}, "another shape"), ({"use_dora": True}, "no plain LoRA")):
        (spoilt / "adapter_config.json").write_text(json.dumps(config | change))
        folder = tmp_path / told.replace(" ", "-")
        run(folder, job(tiny_model, questions) | {"adapter": str(spoilt)}, status=2)
        assert told in capsys.readouterr().err


def test_a_run_examines_its_student(tmp_path: Path, tiny_model: Path, monkeypatch: Any) -> None:
    data = tmp_path / "benchmarks" / "gsm8k"
    data.mkdir(parents=True)
    row = {"question": "Two and two?", "answer": "It is 4.\n#### 4"}
    (data / "test.jsonl").write_text(json.dumps(row) + "\n")
    monkeypatch.setenv("UNISD_BENCHMARK_DIR", str(data.parent))
    records = make_records(tmp_path / "records.jsonl")
    config = tiny_config(
        tiny_model,
        records,
        training={"max_steps": 4},
        evaluation={
            "benchmarks": ["gsm8k"],
            "every_steps": 2,
            "max_new_tokens": 4,
            "retention": True,
        },
    )
    (tmp_path / "run.yaml").write_text(yaml.safe_dump(config))
    plain = config | {"evaluation": {}}
    (tmp_path / "plain.yaml").write_text(yaml.safe_dump(plain))
    assert main([str(tmp_path / "run.yaml"), "--out", str(tmp_path / "out")]) == 0
    assert main([str(tmp_path / "plain.yaml"), "--out", str(tmp_path / "plain")]) == 0
    events = [
        train_event_adapter.validate_json(line)
        for line in (tmp_path / "out" / "events.jsonl").read_text().splitlines()
    ]
    told = [event for event in events if event.kind == "evaluation"]
    assert [(event.step, event.set) for event in told] == [(s, "gsm8k") for s in (0, 2, 4)]
    assert all((tmp_path / "out" / event.path / "summary.json").is_file() for event in told)
    values = {
        event.step: event.values
        for event in events
        if event.kind == "metrics" and "eval/gsm8k/accuracy" in event.values
    }
    assert set(values) == {0, 2, 4}
    assert values[0]["eval/gsm8k/retention/forward/jsd"] == 0
    assert values[4]["eval/gsm8k/retention/forward/jsd"] > 0
    # Looking does not change what is looked at.
    names = ("out", "plain")
    weights = [(tmp_path / n / "adapter" / "adapter_model.safetensors") for n in names]
    assert weights[0].read_bytes() == weights[1].read_bytes()


def test_an_adapter_is_loaded_as_it_was_saved(adapter: Path, tiny_model: Path) -> None:
    from safetensors.torch import load_file

    from core.config import ModelConfig
    from worker.trainer.chat import load_tokenizer
    from worker.trainer.model import STUDENT, load_network

    model = shape_of(adapter, ModelConfig(name=str(tiny_model)))
    assert (model.lora.rank, model.lora.alpha, model.lora.dropout) == (4, 8, 0)
    device = torch.device("cpu")
    network = load_network(model, load_tokenizer(model), device, torch.float32, seed=0)
    load_adapter(network, adapter)
    saved = load_file(adapter / "adapter_model.safetensors")
    for name, factor in network.factors(STUDENT).items():
        assert torch.equal(factor, saved[name])


def test_a_checkpoint_is_evaluated_as_the_adapter_that_was_saved_then(
    tmp_path: Path, tiny_model: Path, records: Path, questions: Path
) -> None:
    training = {"max_steps": 4, "learning_rate": 0.1, "checkpoint_every_steps": 2}
    config = tiny_config(tiny_model, records, training=training, teacher={"weights": "ema"})
    (tmp_path / "run.yaml").write_text(yaml.safe_dump(config))
    trained = tmp_path / "trained"
    assert main([str(tmp_path / "run.yaml"), "--out", str(trained)]) == 0
    wanted = job(tiny_model, questions, retention=True)
    checkpoint = trained / "checkpoints" / "step-00000004"
    found = {}
    for name, more in {
        "adapter": {"adapter": str(trained / "adapter")},
        "student": {"adapter": str(checkpoint)},
        "ema_adapter": {"adapter": str(trained / "ema_adapter")},
        "ema": {"adapter": str(checkpoint), "weights": "ema"},
        "earlier": {"adapter": str(trained / "checkpoints" / "step-00000002")},
    }.items():
        out = run(tmp_path / name, wanted | more)
        found[name] = [row["forward"] for row in rows(out / "retention.jsonl")]
    assert found["student"] == found["adapter"]
    assert found["ema"] == found["ema_adapter"]
    assert found["earlier"] != found["adapter"] != found["ema_adapter"]
