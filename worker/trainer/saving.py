"""Saves the adapter in PEFT's layout, with a card that says what it is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

from core.config import RunConfig
from worker.trainer.configuration import dump_config
from worker.trainer.device import versions
from worker.trainer.event_log import EventLog
from worker.trainer.failures import write_failure
from worker.trainer.files import file_sha256, folder_written_atomically
from worker.trainer.model import EMA, STUDENT, Network

ADAPTER: Final = "adapter"
EMA_ADAPTER: Final = "ema_adapter"
WEIGHTS: Final = "adapter_model.safetensors"
FIRST_AND_LAST: Final = 10


@dataclass
class History:
    """What the model card tells about the training."""

    total_steps: int
    data_sha256: str
    losses: list[float] = field(default_factory=list)
    evaluations: dict[int, dict[str, float]] = field(default_factory=dict)

    @property
    def steps(self) -> int:
        """Optimizer steps done."""
        return len(self.losses)

    def as_dict(self) -> dict[str, Any]:
        """Plain data for a checkpoint."""
        return asdict(self)

    @classmethod
    def from_dict(cls, saved: Mapping[str, Any]) -> History:
        """What `as_dict` gave, after a way through JSON, which has texts as keys."""
        evaluations = {int(step): values for step, values in saved["evaluations"].items()}
        return cls(**{**saved, "evaluations": evaluations})


def save_adapters(network: Network, config: RunConfig, history: History, log: EventLog) -> None:
    """Write `adapter/`, and `ema_adapter/` where there is one, each completely or not at all.

    Raises:
        StudioError: `disk_full` or `write_failed`.
    """
    _save(network, STUDENT, ADAPTER, model_card(config, history), log)
    if config.teacher.weights == "ema":
        _save(network, EMA, EMA_ADAPTER, model_card(config, history), log)


def _save(network: Network, adapter: str, name: str, card: str, log: EventLog) -> None:
    target = log.folder / name
    try:
        with folder_written_atomically(target) as folder:
            # The base's embeddings never change; asking for them would consult the hub.
            network.peft.save_pretrained(
                str(folder),
                safe_serialization=True,
                save_embedding_layers=False,
                selected_adapters=[adapter],
            )
            _raise_to(folder, adapter)
            (folder / "README.md").write_text(card, encoding="utf-8")
            (folder / WEIGHTS).chmod(0o644)
    except OSError as error:
        raise write_failure(target, error) from error
    log.emit(
        "artifact",
        artifact=name,
        path=name,
        bytes=sum(file.stat().st_size for file in target.rglob("*") if file.is_file()),
        sha256=file_sha256(target / WEIGHTS),
    )


def _raise_to(folder: Path, adapter: str) -> None:
    """Peft puts an adapter with a name of its own into a folder of that name."""
    inner = folder / adapter
    if not inner.is_dir():
        return
    for file in inner.iterdir():
        file.replace(folder / file.name)
    inner.rmdir()


def model_card(config: RunConfig, history: History) -> str:
    """README.md of the adapter, in the form that the hub reads."""
    name = config.model.name
    base = "" if Path(name).is_absolute() else f"base_model: {name}\n"
    revision = f", revision={config.model.revision!r}" if config.model.revision else ""
    return f"""---
{base}library_name: peft
pipeline_tag: text-generation
tags:
- lora
- self-distillation
- unisd-studio
---

# LoRA adapter for {name}, by self-distillation

The model sampled answers to the prompts alone and was trained toward its own distribution behind
the same prompts with a worked example (UniSD, arXiv 2605.06597). Made with UniSD Studio.

## Training

- Optimizer steps: {history.steps} of {history.total_steps}
- Data: {config.data.short_name}, SHA-256 `{history.data_sha256}`
{_metrics(history)}
## Use

```python
from peft import PeftModel
from transformers import AutoModelForCausalLM, AutoTokenizer

base = AutoModelForCausalLM.from_pretrained({name!r}{revision})
model = PeftModel.from_pretrained(base, "path/to/this/folder")
tokenizer = AutoTokenizer.from_pretrained({name!r}{revision})
```

Licence and limits are those of the base model and of the data.

## Configuration

```yaml
{dump_config(config)}```

## Versions

{_versions()}
"""


def _metrics(history: History) -> str:
    lines = []
    if history.losses:
        first, last = history.losses[:FIRST_AND_LAST], history.losses[-FIRST_AND_LAST:]
        lines.append(
            f"- Mean loss of the first {len(first)} steps: {sum(first) / len(first):.4f} nats, "
            f"of the last {len(last)}: {sum(last) / len(last):.4f} nats"
        )
    for step in sorted({min(history.evaluations, default=0), max(history.evaluations, default=0)}):
        for metric, value in history.evaluations.get(step, {}).items():
            lines.append(f"- `{metric}` after step {step}: {value:.4f}")
    return "".join(f"{line}\n" for line in lines)


def _versions() -> str:
    return "\n".join(f"- {library} {number}" for library, number in versions().items())
