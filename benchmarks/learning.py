"""What a small model learns and forgets: base, `sft`, `sdft` and `unisd_star` on real records.

    python benchmarks/learning.py DATA --out DIR [--tasks cos_e scienceqa] [--presets …]

DATA is a folder with `cos_e/` and `scienceqa_text/` in their original formats. Every preset trains
from the same configuration (`CONFIG` below); then base and tuned models answer held-out questions
greedily. Printed per task and preset, as JSON: accuracy and extraction rate of the letter, mean
length of an answer, mean per-token JSD (α = ½) between tuned model and base on the tuned model's
answers, mean log-probability of those answers under the base, and seconds of training.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

os.environ["HF_HUB_OFFLINE"] = "1"
sys.path.insert(0, str(Path(__file__).parents[1]))

import torch
import yaml
from safetensors.torch import load_file

from core.config import RunConfig
from core.data_config import DataConfig
from core.objective_config import DEFAULT_TEACHER_TEMPLATE
from core.prompts import student_messages
from core.record_fields import LETTERS
from core.records import read_records
from core.validation import parse_config
from worker.trainer.chat import Chat, load_tokenizer
from worker.trainer.grading import grade
from worker.trainer.interrupt import Interrupt
from worker.trainer.layout import completion_hidden, lay_out, targets
from worker.trainer.memory import keep_freed_memory
from worker.trainer.model import STUDENT, Network, load_network
from worker.trainer.objective import Scoring, score_tokens
from worker.trainer.rollout import Sampling, TransformersSampler
from worker.trainer.token_text import decode

FILES = {
    "cos_e": ("cos_e/cos_e_v1.11_train.jsonl.gz", "cos_e/cos_e_v1.11_validation.jsonl.gz"),
    "scienceqa": (
        "scienceqa_text/scienceqa_text_train.jsonl.gz",
        "scienceqa_text/scienceqa_text_val.jsonl.gz",
    ),
}
CONFIG: dict[str, Any] = {
    "model": {
        "name": "HuggingFaceTB/SmolLM2-135M-Instruct",
        "lora": {"rank": 16, "alpha": 32, "dropout": 0.0},
    },
    "data": {"answer_first": True, "limit": 192},
    "teacher": {
        # A crowd-sourced rationale is copied in place of an answer; the bare answer is not.
        "use_rationale": False,
        "template": DEFAULT_TEACHER_TEMPLATE + " Begin with the letter of your answer.",
    },
    "training": {
        "max_steps": 24,
        "batch_size": 4,
        "gradient_accumulation_steps": 2,
        "learning_rate": 5e-4,
        "seed": 1,
        "checkpoint_every_steps": None,
    },
    "generation": {"max_completion_length": 32, "max_prompt_length": 640, "temperature": 0.7},
    "objective": {"contrastive": {"enabled": False, "negatives_per_record": 2}},
    "recording": {"every_steps": 24, "pinned_examples": 0},
}
BATCH = 16


def configuration(task: str, preset: str, data: Path) -> dict[str, Any]:
    """The configuration of a run, as it goes into its file."""
    raw = json.loads(json.dumps({"preset": preset, **CONFIG}))
    raw["data"] |= {"path": str(data / FILES[task][0]), "format": task}
    del raw["objective"]["contrastive"]["enabled"]
    if preset != "unisd_star":
        del raw["objective"]
    return raw


def train(task: str, preset: str, data: Path, out: Path) -> float:
    """Train through the command line. Returns the seconds it took."""
    out.mkdir(parents=True, exist_ok=True)
    file = out / "given.yaml"
    file.write_text(yaml.safe_dump(configuration(task, preset, data)))
    begun = time.perf_counter()
    command = [sys.executable, "-m", "worker.trainer", str(file), "--out", str(out / "run")]
    subprocess.run(command, check=True, stdout=sys.stderr)
    return time.perf_counter() - begun


def load(config: RunConfig, adapter: Path | None) -> tuple[Network, Chat]:
    """The base model, with a trained adapter if there is one."""
    tokenizer = load_tokenizer(config.model)
    kind = torch.bfloat16
    network = load_network(config.model, tokenizer, torch.device("cpu"), kind, seed=0)
    if adapter is not None:
        weights = load_file(adapter / "adapter_model.safetensors")
        with torch.no_grad():
            for name, factor in network.factors(STUDENT).items():
                factor.copy_(weights[name])
    return network, Chat(tokenizer, config)


def evaluate(task: str, data: Path, adapter: Path | None, count: int) -> dict[str, float]:
    """Greedy answers to held-out questions, graded, and compared with the base token by token."""
    config = parse_config(configuration(task, "sdft", data))
    network, chat = load(config, adapter)
    held_out = config.data.model_copy(update={"path": str(data / FILES[task][1]), "limit": count})
    records = list(read_records(DataConfig.model_validate(held_out.model_dump())))
    prompts = [chat.conversation(student_messages(record, config)) for record in records]
    greedy = Sampling(0.0, 1.0, 0, config.generation.max_completion_length)
    sampler = TransformersSampler(network, Interrupt(), BATCH)
    rollouts = sampler.sample(prompts, greedy, range(len(prompts)))
    texts = [decode(chat.tokenizer, rollout.ids, special=False) for rollout in rollouts]
    grades = [grade(record, text) for record, text in zip(records, texts, strict=True)]
    jsd, logprob = [], []
    for start in range(0, len(prompts), BATCH):
        ids = [rollout.ids for rollout in rollouts[start : start + BATCH]]
        layout = lay_out(prompts[start : start + BATCH], ids, network)
        with network.teacher("base"):
            base = completion_hidden(network, layout)
        with network.teacher("student"):
            tuned = completion_hidden(network, layout)
        scores = score_tokens(
            tuned, base, network.head_VH, targets(ids, network.device), Scoring(alpha=0.5)
        )
        for values, into in ((scores.divergence_N, jsd), (scores.teacher_logprob_N, logprob)):
            into += [float(part.mean()) for part in values.split(list(map(len, ids)))]
    extracted = [one.extracted for one in grades]
    return {
        "accuracy": sum(one.correct for one in grades) / len(grades),
        "extracted": sum(letter is not None for letter in extracted) / len(grades),
        "most_frequent_letter": max(extracted.count(letter) for letter in LETTERS[:5])
        / len(grades),
        "tokens": sum(len(rollout.ids) for rollout in rollouts) / len(rollouts),
        "jsd_to_base": sum(jsd) / len(jsd),
        "logprob_under_base": sum(logprob) / len(logprob),
    }


def main() -> None:
    """Train and evaluate; print JSON after each run."""
    parser = argparse.ArgumentParser()
    parser.add_argument("data", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--tasks", nargs="*", default=list(FILES))
    parser.add_argument("--presets", nargs="*", default=["sft", "sdft", "unisd_star"])
    parser.add_argument("--count", type=int, default=150)
    options = parser.parse_args()
    keep_freed_memory()
    for task in options.tasks:
        found = evaluate(task, options.data, None, options.count)
        print(json.dumps({"task": task, "preset": "base", **found}), flush=True)
        for preset in options.presets:
            out = options.out / task / preset
            seconds = train(task, preset, options.data, out)
            found = evaluate(task, options.data, out / "run" / "adapter", options.count)
            row = {"task": task, "preset": preset, **found, "training_s": round(seconds)}
            print(json.dumps(row), flush=True)


if __name__ == "__main__":
    main()
