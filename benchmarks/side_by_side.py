"""How quickly answers begin side by side: cold, with another adapter, and warm. Prints JSON.

`python benchmarks/side_by_side.py [MODEL]`: drives the model process as a worker does, with two
adapters whose factors are random.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from core.config import ModelConfig
from core.generation_job import ChatMessage, GenerationJob, JobColumn, Order, Sampled
from worker.model_process import ModelProcess
from worker.trainer.model_path import resolve_model

MODEL = "HuggingFaceTB/SmolLM2-135M-Instruct"
PROMPT = "Explain in a few sentences why the sky is blue."
TOKENS = 64


def make_adapters(model: ModelConfig, folder: Path) -> list[Path]:
    """Two adapters that answer otherwise than the base."""
    import torch

    from worker.trainer.chat import load_tokenizer
    from worker.trainer.model import load_network

    network = load_network(model, load_tokenizer(model), torch.device("cpu"), torch.float32, 0)
    made = []
    for number in range(2):
        with torch.no_grad():
            for name, factor in network.factors("default").items():
                if "lora_B" in name:
                    factor.normal_(std=1e-3)
        made.append(folder / f"adapter-{number}")
        network.peft.save_pretrained(str(made[-1]), save_embedding_layers=False)
    return made


def ask(
    process: ModelProcess, name: str, model: ModelConfig, adapters: list[Path | None], tokens: int
) -> dict[str, float]:
    """Seconds to the first token of an answer, and tokens per second after it."""
    message = (ChatMessage(role="user", content=PROMPT),)
    columns = tuple(
        JobColumn(messages=message)
        if adapter is None
        else JobColumn(messages=message, weights="student", adapter=str(adapter))
        for adapter in adapters
    )
    sampled = Sampled(max_tokens=tokens, temperature=1.0)
    began = time.perf_counter()
    job = GenerationJob(model=model, columns=columns, sampled=sampled)
    process.order(Order(kind="generate", id=name, job=job))
    first = last = 0.0
    count = 0
    while True:
        told = process.told(300)
        if told is None or told.kind in {"failed", "cancelled"}:
            raise SystemExit(f"no answer: {told}")
        if told.kind == "tokens":
            last = time.perf_counter()
            first = first or last
            count += len(told.tokens)
        if told.kind == "done":
            pace = (count - len(columns)) / (last - first) if last > first else 0.0
            return {"first_token_s": round(first - began, 3), "tokens_per_s": round(pace, 1)}


def main() -> None:
    """Measure."""
    name = sys.argv[1] if len(sys.argv) > 1 else MODEL
    model = ModelConfig(name=resolve_model(name).location)
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        first, second = make_adapters(model, folder)
        process = ModelProcess(60.0, folder / "model.log")
        found: dict[str, Any] = {
            "model": name,
            "cold": ask(process, "1", model, [first], TOKENS),
            "other_adapter": ask(process, "2", model, [second], TOKENS),
            "warm": ask(process, "3", model, [second], TOKENS),
            "base_and_adapter": ask(process, "4", model, [None, first], TOKENS),
        }
        process.close()
    sys.stdout.write(json.dumps(found, indent=2) + "\n")


if __name__ == "__main__":
    main()
