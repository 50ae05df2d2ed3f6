"""The trainer beside TRL's `SDFTTrainer`: seconds per step and memory, as JSON.

    python benchmarks/trainer.py [--model FOLDER] [--steps 6] [--warmup 3] [--only NAME …]

Needs the extra `bench`. Every side runs in a process of its own, one after the other, on the same
prompts by length (random tokens): bfloat16, LoRA r 64 on q, k, v, o, gate, up and down, 8 prompts
a step (4 × 2), student prompt 128 and teacher prompt 256 tokens, completions of exactly 64 tokens
at temperature 0.7. `wide` is a random Qwen2 with a vocabulary of 151,936, hidden size 512, 8 layers
and completions of 256 tokens. TRL runs with `full_logits` and an EMA teacher: once with its other
defaults, which include gradient checkpointing, and once without that. Memory is the largest
resident size during the steps, less what the process held when model and optimizer were loaded.

Our prompts begin as the real ones do, counted in tokens of SmolLM2: primary and negative teacher
share the system prompt (24), the question (98) and the template's next words (16) of their 256. An
auxiliary teacher is shown another example before the question; it shares only the system prompt and
the first words of its template (10), with all others of its kind. TRL's teacher prompt, too, is the
student's prompt (128) with the context after it.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
import warnings
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["TRL_EXPERIMENTAL_SILENCE"] = "1"
warnings.simplefilter("ignore")

DEFAULT_MODEL = ".unisd/models/HuggingFaceTB/SmolLM2-135M-Instruct"
TARGETS = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]
STUDENT, TEACHER, TEMPERATURE, BATCH, ACCUMULATION = 128, 256, 0.7, 4, 2
PROMPTS = BATCH * ACCUMULATION


class Case(NamedTuple):
    """A model and the length of its completions."""

    model: str
    completion: int


class Result(NamedTuple):
    """What a side measured: seconds per step, seconds of its rollouts, bytes."""

    steps: list[float]
    rollouts: list[float]
    memory: int


def resident(field: str = "VmRSS") -> int:
    """A size of this process in bytes."""
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(f"{field}:"))


def forget_peak() -> int:
    """Start measuring the peak anew. Returns what is held now."""
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
    return resident()


def trl_side(case: Case, steps: int, *, checkpointing: bool) -> Result:
    """TRL's trainer on prompts of the same lengths."""
    import torch
    from datasets import Dataset
    from peft import LoraConfig
    from transformers import AutoModelForCausalLM, AutoTokenizer, TrainerCallback
    from trl.experimental.sdft import SDFTConfig, SDFTTrainer

    tokenizer = AutoTokenizer.from_pretrained(case.model)
    model = AutoModelForCausalLM.from_pretrained(case.model, dtype=torch.bfloat16)
    words = tokenizer("the quick brown fox jumps over the lazy dog and then " * 60)["input_ids"]
    row = {
        "prompt": tokenizer.decode(words[:STUDENT]),
        "privileged_context": tokenizer.decode(words[: TEACHER - STUDENT - 1]),
    }
    clock: list[float] = []
    held: list[int] = []
    rollouts: list[float] = []

    class Clock(TrainerCallback):
        def on_train_begin(self, *_: Any, **__: Any) -> None:
            held.append(forget_peak())

        def on_step_begin(self, *_: Any, **__: Any) -> None:
            self.begun = time.perf_counter()

        def on_step_end(self, *_: Any, **__: Any) -> None:
            clock.append(time.perf_counter() - self.begun)

    with tempfile.TemporaryDirectory() as folder:
        arguments = SDFTConfig(
            output_dir=folder,
            per_device_train_batch_size=BATCH,
            gradient_accumulation_steps=ACCUMULATION,
            max_steps=steps,
            bf16=True,
            use_cpu=not torch.cuda.is_available(),
            learning_rate=2e-5,
            logging_strategy="no",
            save_strategy="no",
            report_to=[],
            disable_tqdm=True,
            num_generations=1,
            max_completion_length=case.completion,
            generation_kwargs={"min_new_tokens": case.completion},
            temperature=TEMPERATURE,
            distillation_mode="full_logits",
            distillation_alpha=0.0,
            distillation_is_clip=None,
            distillation_topk=None,
            teacher_model_kind="ema",
            gradient_checkpointing=checkpointing,
        )
        trainer = SDFTTrainer(
            model=model,
            args=arguments,
            train_dataset=Dataset.from_list([row] * (steps * PROMPTS)),
            processing_class=tokenizer,
            peft_config=LoraConfig(
                r=64, lora_alpha=128, target_modules=TARGETS, task_type="CAUSAL_LM"
            ),
            callbacks=[Clock()],
        )
        generate = trainer.model.generate

        def timed(*positional: Any, **named: Any) -> Any:
            begun = time.perf_counter()
            output = generate(*positional, **named)
            assert output.shape[1] == STUDENT + case.completion, output.shape
            rollouts.append(time.perf_counter() - begun)
            return output

        trainer.model.generate = timed
        trainer.train()
    return Result(clock, rollouts, resident("VmHWM") - held[0])


def our_side(case: Case, steps: int, preset: str) -> Result:
    """This trainer on random prompts of the same lengths."""
    import torch

    from core.record import Record
    from core.validation import parse_config
    from core.views import Example, View
    from worker.trainer.chat import load_tokenizer
    from worker.trainer.ema import add_ema, ema_distance, synchronize_ema
    from worker.trainer.interrupt import Interrupt
    from worker.trainer.measure import StepMeasure
    from worker.trainer.memory import keep_freed_memory
    from worker.trainer.model import load_network
    from worker.trainer.rollout import Sampling, TransformersSampler
    from worker.trainer.step import Batch, Completion, Scorer

    keep_freed_memory()
    config = parse_config(
        {
            "preset": preset,
            "model": {"name": case.model, "dtype": "bfloat16", "lora": {"dropout": 0}},
            "data": {"path": "-"},
            "training": {"batch_size": BATCH, "gradient_accumulation_steps": ACCUMULATION},
            "generation": {"max_completion_length": case.completion, "temperature": TEMPERATURE},
            "teacher": {"weights": "ema", "ema": {"every_steps": 1}},
        }
    )
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    tokenizer = load_tokenizer(config.model)
    network = load_network(config.model, tokenizer, device, torch.bfloat16, seed=0)
    add_ema(network)
    network = replace(network, end_ids=(-1,))  # nothing ends a completion early
    draw = random.Random(0)

    def words(length: int) -> list[int]:
        return [draw.randrange(300, 40_000) for _ in range(length)]

    def view(length: int, before: list[int], after: list[int]) -> View:
        return View("", before + words(length - len(before) - len(after)) + after)

    objective = config.objective
    views = objective.agreement.views if objective.agreement.enabled else 0
    record = Record(id="0", line=1, prompt="-", answer="-")
    system, turn = words(24), words(6)
    shown, study, another, now = words(16), words(31), words(10), words(8)

    def example() -> Example:
        question = words(STUDENT - len(system) - len(turn))
        taught = system + question + shown, study + turn
        beside = system + another, now + question + turn
        return Example(
            record,
            View("", system + question + turn),
            view(TEACHER, *taught),
            tuple(view(TEACHER, *beside) for _ in range(views)),
            view(TEACHER, *taught) if objective.contrastive.enabled else None,
        )

    examples = [example() for _ in range(PROMPTS)]
    sampler, scorer = TransformersSampler(network, Interrupt()), Scorer(network, config)
    optimizer = torch.optim.AdamW(network.trainable(), lr=2e-5)
    held = forget_peak()
    seconds, rollout_seconds = [], []
    for step in range(steps):
        measure = StepMeasure(network)
        optimizer.zero_grad(set_to_none=True)
        with measure.part("rollout"):
            rollouts = sampler.sample(
                [example.student.ids for example in examples],
                Sampling.of(config.generation),
                [step * PROMPTS + index for index in range(PROMPTS)],
            )
        assert all(len(rollout.ids) == case.completion for rollout in rollouts)
        batch = Batch(examples, [Completion(ids, truncated) for ids, truncated in rollouts])
        for _ in scorer.accumulate(batch, measure, dropout_seeds=range(ACCUMULATION)):
            pass
        torch.nn.utils.clip_grad_norm_(network.trainable(), 1.0)
        optimizer.step()
        synchronize_ema(network, config.teacher.ema.decay)
        ema_distance(network)
        metrics = measure.metrics()
        seconds.append(metrics["time/step"])
        rollout_seconds.append(metrics["time/rollout"])
        sys.stderr.write(
            f"  {preset}: {metrics['time/step']:.2f} s (rollout {metrics['time/rollout']:.2f}, "
            f"teacher {metrics['time/teacher']:.2f}, student {metrics['time/student']:.2f})\n"
        )
    return Result(seconds, rollout_seconds, resident("VmHWM") - held)


def bare_generate(case: Case, steps: int) -> Result:
    """`generate()` of the base model without an adapter."""
    import torch
    from transformers import AutoModelForCausalLM, GenerationConfig

    model = AutoModelForCausalLM.from_pretrained(case.model, dtype=torch.bfloat16).eval()
    draw = random.Random(0)
    ids = torch.tensor([[draw.randrange(300, 40_000) for _ in range(STUDENT)]] * PROMPTS)
    how = GenerationConfig(
        do_sample=True,
        temperature=TEMPERATURE,
        top_k=0,
        min_new_tokens=case.completion,
        max_new_tokens=case.completion,
        eos_token_id=2,
        pad_token_id=2,
    )
    held, seconds = forget_peak(), []
    for _ in range(steps):
        begun = time.perf_counter()
        with torch.no_grad():
            model.generate(
                input_ids=ids, attention_mask=torch.ones_like(ids), generation_config=how
            )
        seconds.append(time.perf_counter() - begun)
    return Result(seconds, seconds, resident("VmHWM") - held)


def make_wide(folder: Path, tokenizer_from: str) -> str:
    """A random Qwen2 with a large vocabulary."""
    import torch
    from transformers import AutoTokenizer, Qwen2Config, Qwen2ForCausalLM

    torch.manual_seed(0)
    config = Qwen2Config(
        vocab_size=151_936,
        hidden_size=512,
        intermediate_size=1408,
        num_hidden_layers=8,
        num_attention_heads=8,
        num_key_value_heads=2,
        tie_word_embeddings=True,
        eos_token_id=2,
        pad_token_id=2,
        bos_token_id=1,
    )
    Qwen2ForCausalLM(config).to(torch.bfloat16).save_pretrained(folder)
    AutoTokenizer.from_pretrained(tokenizer_from).save_pretrained(folder)
    return str(folder)


SIDES = {
    "trl": lambda case, steps: trl_side(case, steps, checkpointing=True),
    "trl_without_checkpointing": lambda case, steps: trl_side(case, steps, checkpointing=False),
    "sdft": lambda case, steps: our_side(case, steps, "ema"),
    "unisd_star": lambda case, steps: our_side(case, steps, "unisd_star"),
    "generate": bare_generate,
}


def apart(side: str, case: Case, steps: int, warmup: int) -> dict[str, float]:
    """Run a side in a process of its own."""
    command = [sys.executable, __file__, "--side", side, case.model, str(case.completion)]
    command.append(str(steps + warmup))
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    result = Result(**json.loads(done.stdout.splitlines()[-1]))
    return {
        "step_s": round(statistics.median(result.steps[warmup:]), 3),
        "rollout_s": round(statistics.median(result.rollouts[warmup:]), 3),
        "memory_mb": round(result.memory / 1e6),
    }


def compare(model: str, steps: int, warmup: int, only: list[str]) -> dict[str, Any]:
    """Both cases, with ratios to TRL."""
    with tempfile.TemporaryDirectory() as folder:
        cases = {"small": Case(model, 64)}
        if not only or "wide" in only:
            cases["wide"] = Case(make_wide(Path(folder), model), 256)
        if only and "small" not in only:
            del cases["small"]
        report: dict[str, Any] = {}
        for name, case in cases.items():
            sides = list(SIDES) if name == "small" else ["trl", "sdft"]
            found = {}
            for side in sides:
                found[side] = apart(side, case, steps, warmup)
                sys.stderr.write(f"{name} {side}: {found[side]}\n")
            trl, ours = found["trl"], found["sdft"]
            ratios = {
                "sdft_step": ours["step_s"] / trl["step_s"],
                "sdft_memory": ours["memory_mb"] / trl["memory_mb"],
            }
            if "trl_without_checkpointing" in found:
                leaner = found["trl_without_checkpointing"]
                ratios["sdft_step_to_trl_without_checkpointing"] = ours["step_s"] / leaner["step_s"]
            if "unisd_star" in found:
                ratios["unisd_star_step"] = found["unisd_star"]["step_s"] / trl["step_s"]
                ratios["rollout_to_generate"] = ours["rollout_s"] / found["generate"]["step_s"]
            rounded = {key: round(value, 3) for key, value in ratios.items()}
            report[name] = {"sides": found, "ratios": rounded}
    return report


def main() -> None:
    """Compare, or run one side."""
    if sys.argv[1:2] == ["--side"]:
        side, model, completion, steps = sys.argv[2:6]
        result = SIDES[side](Case(model, int(completion)), int(steps))
        sys.stdout.write(json.dumps(result._asdict()) + "\n")
        return
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--model", default=DEFAULT_MODEL, help="folder of SmolLM2-135M-Instruct")
    parser.add_argument("--steps", type=int, default=6)
    parser.add_argument("--warmup", type=int, default=3)
    parser.add_argument("--only", nargs="*", default=[], choices=["small", "wide"])
    options = parser.parse_args()
    sys.path.insert(0, str(Path(__file__).parents[1]))
    report = compare(options.model, options.steps, options.warmup, options.only)
    sys.stdout.write(json.dumps(report, indent=2) + "\n")


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[1]))
    main()
