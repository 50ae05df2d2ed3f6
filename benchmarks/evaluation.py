"""Evaluation beside bare batched `generate()`: seconds and tokens for the same prompts, as JSON.

    python benchmarks/evaluation.py DATA [--model FOLDER] [--questions 160] [--repeats 3]

DATA is a folder with CoS-E in its original format. Both sides answer the same validation questions
greedily in bfloat16, 16 side by side, at most 48 tokens, with the base model. `ours` is all that an
evaluation does after loading: sampling, grading, and writing every example to disk. `generate` is
transformers' `generate()` on left-padded batches in the order of the file, `generate_sorted` on
batches of like length; neither grades or writes anything. Every repeat runs in a process of its
own, in turns.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

os.environ["HF_HUB_OFFLINE"] = "1"
warnings.simplefilter("ignore")
sys.path.insert(0, str(Path(__file__).parents[1]))

DEFAULT_MODEL = ".unisd/models/HuggingFaceTB/SmolLM2-135M-Instruct"
BATCH, LONGEST = 16, 48
SIDES = ("ours", "generate", "generate_sorted")


def questions(data: Path, count: int, tokenizer: Any) -> Any:
    """The set as the evaluation asks it."""
    from core.evaluation_config import EvaluationSet
    from worker.trainer.evaluation.questions import load_questions

    wanted = EvaluationSet(
        name="cos_e",
        path=str(data / "cos_e/cos_e_v1.11_validation.jsonl.gz"),
        format="cos_e",
        answer_first=True,
        limit=count,
        max_new_tokens=LONGEST,
        batch_size=BATCH,
    )
    return load_questions(wanted, tokenizer, None, None)


def ours(model_folder: str, data: Path, count: int) -> tuple[float, int]:
    """Seconds and tokens of an evaluation."""
    import torch

    from core.config import ModelConfig
    from worker.trainer.chat import load_tokenizer
    from worker.trainer.evaluation.answers import Writer
    from worker.trainer.evaluation.evaluator import Evaluator
    from worker.trainer.event_log import EventLog
    from worker.trainer.interrupt import Interrupt
    from worker.trainer.memory import keep_freed_memory
    from worker.trainer.model import load_network

    keep_freed_memory()
    model = ModelConfig(name=model_folder)
    tokenizer = load_tokenizer(model)
    network = load_network(model, tokenizer, torch.device("cpu"), torch.bfloat16, seed=0)
    asked = questions(data, count, tokenizer)
    with tempfile.TemporaryDirectory() as folder:
        os.environ["UNISD_CACHE_DIR"] = f"{folder}/cache"
        log = EventLog(Path(folder) / "out")
        writer = Writer(network, model, Interrupt(), seed=1)
        evaluator = Evaluator(writer, tokenizer, log, None)
        begun = time.perf_counter()
        found = evaluator.evaluate(asked, Path(folder) / "results")
        seconds = time.perf_counter() - begun
        log.close()
    return seconds, round(found["tokens"] * found["questions"])


def generate(
    model_folder: str, data: Path, count: int, *, in_order: bool = True
) -> tuple[float, int]:
    """Seconds and tokens of bare `generate()`."""
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(model_folder, padding_side="left")
    model = AutoModelForCausalLM.from_pretrained(model_folder, dtype=torch.bfloat16).eval()
    prompts = [one.text for one in questions(data, count, tokenizer).asked]
    if not in_order:
        prompts.sort(key=len)
    tokens = 0
    begun = time.perf_counter()
    for start in range(0, len(prompts), BATCH):
        inputs = tokenizer(
            prompts[start : start + BATCH],
            return_tensors="pt",
            padding=True,
            add_special_tokens=False,
        )
        with torch.no_grad():
            output = model.generate(**inputs, do_sample=False, max_new_tokens=LONGEST)
        answers = output[:, inputs["input_ids"].shape[1] :]
        # As many as there are up to the first end token, that one included.
        ended = (answers == tokenizer.eos_token_id).int().cumsum(-1)
        tokens += int((ended - (answers == tokenizer.eos_token_id).int() == 0).sum())
    return time.perf_counter() - begun, tokens


def measure(side: str, model_folder: str, data: Path, count: int) -> tuple[float, int]:
    """One repeat in this process."""
    sides: dict[str, Callable[..., tuple[float, int]]] = {"ours": ours, "generate": generate}
    if side == "generate_sorted":
        return generate(model_folder, data, count, in_order=False)
    return sides[side](model_folder, data, count)


def main() -> None:
    """Run all repeats and print one JSON object."""
    parser = argparse.ArgumentParser()
    parser.add_argument("data", type=Path)
    parser.add_argument("--model", default=DEFAULT_MODEL)
    parser.add_argument("--questions", type=int, default=160)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--side", choices=SIDES, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.side:
        seconds, tokens = measure(options.side, options.model, options.data, options.questions)
        print(json.dumps({"seconds": seconds, "tokens": tokens}))
        return
    found: dict[str, list[dict[str, Any]]] = {side: [] for side in SIDES}
    for _ in range(options.repeats):
        for side in SIDES:
            command = [sys.executable, *sys.argv, "--side", side]
            done = subprocess.run(command, check=True, capture_output=True, text=True)
            found[side].append(json.loads(done.stdout.splitlines()[-1]))
    speed = {
        side: statistics.median(one["tokens"] / one["seconds"] for one in repeats)
        for side, repeats in found.items()
    }
    seconds = {
        side: round(statistics.median(one["seconds"] for one in repeats), 2)
        for side, repeats in found.items()
    }
    result = {
        "questions": options.questions,
        "seconds": seconds,
        "tokens": {side: repeats[0]["tokens"] for side, repeats in found.items()},
        "tokens_per_second": {side: round(value, 1) for side, value in speed.items()},
        "throughput_of_generate": round(speed["ours"] / speed["generate"], 3),
        "throughput_of_generate_sorted": round(speed["ours"] / speed["generate_sorted"], 3),
    }
    print(json.dumps(result, indent=2))


if __name__ == "__main__":
    main()
