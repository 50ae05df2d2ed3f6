"""README.md of an export, in the form that the hub reads."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, Final

import yaml
from httpx2 import HTTPError
from huggingface_hub import HfApi, constants
from huggingface_hub.errors import HfHubHTTPError, HFValidationError

from core.config import ModelConfig
from core.config_text import yaml_text
from core.export_job import ExportJob
from worker.trainer.configuration import dump_config
from worker.trainer.device import versions
from worker.trainer.hub import TIMEOUT_S
from worker.trainer.model_path import resolve_model

_FRONT: Final = re.compile(r"\A---\s*\n(.*?)\n---\s*(?:\n|\Z)", re.DOTALL)
_TITLES: Final = {
    "adapter": "LoRA adapter for",
    "ema_adapter": "LoRA adapter (moving average of the student's) for",
    "merged": "Merged model on",
    "gguf": "GGUF file of a model on",
}


def find_licence(model: ModelConfig) -> str | None:
    """The licence that the base's card names; None where it is not known."""
    source = resolve_model(model.name)
    if source.is_local:
        return _licence(Path(source.location) / "README.md")
    if constants.HF_HUB_OFFLINE:
        return None
    try:
        info = HfApi().model_info(model.name, revision=model.revision, timeout=TIMEOUT_S)
    except (HfHubHTTPError, HFValidationError, HTTPError, OSError):
        return None
    data = info.card_data
    named = None if data is None else data.get("license")
    return named[:100] if isinstance(named, str) else None


def _licence(card: Path) -> str | None:
    try:
        front = _FRONT.match(card.read_text(encoding="utf-8"))
        data = yaml.safe_load(front.group(1)) if front else None
    except (OSError, UnicodeDecodeError, yaml.YAMLError):
        return None
    named = data.get("license") if isinstance(data, dict) else None
    return named[:100] if isinstance(named, str) else None


def model_card(job: ExportJob, licence: str | None) -> str:
    """The whole card."""
    name = job.model.name
    of_what = "base model, " if licence is None else f"base model ({licence}), "
    return f"""---
{_metadata(job, licence)}---

# {_TITLES[job.content]} {Path(name).name}, by self-distillation

The model sampled answers to the prompts alone and was trained toward its own distribution behind
the same prompts with a worked example (UniSD, arXiv 2605.06597). Made with UniSD Studio from the
run “{job.facts.run}”.

## Training

{_training(job)}
## Use

{_use(job)}
Licence and limits are those of the {of_what}and of the data.

## Configuration

```yaml
{dump_config(job.config)}```

## Versions

{_versions(job)}
"""


def _metadata(job: ExportJob, licence: str | None) -> str:
    library = {"adapter": "peft", "ema_adapter": "peft", "gguf": "gguf"}
    data: dict[str, Any] = {
        "library_name": library.get(job.content, "transformers"),
        "pipeline_tag": "text-generation",
        "tags": ["self-distillation", "unisd-studio"],
    }
    if library.get(job.content) == "peft":
        data["tags"].insert(0, "lora")
    if not Path(job.model.name).expanduser().is_absolute():
        data["base_model"] = job.model.name
    if licence is not None:
        data["license"] = licence
    return yaml_text(data, sort_keys=True)


def _training(job: ExportJob) -> str:
    facts = job.facts
    steps = "–" if facts.step is None else facts.step
    lines = [
        f"- Optimizer steps: {steps}",
        f"- Data: {job.config.data.short_name}, SHA-256 `{facts.data_sha256 or 'unknown'}`",
        f"- Weights: {'moving average of the student' if job.weights == 'ema' else 'student'}",
    ]
    lines += [f"- `{path}`: {value:.4g}" for path, value in sorted(facts.metrics.items())]
    for name, figures in sorted(facts.evaluations.items()):
        told = ", ".join(f"{figure} {value:.4g}" for figure, value in sorted(figures.items()))
        lines.append(f"- Evaluation `{name}`: {told}")
    return "".join(f"{line}\n" for line in lines)


def _use(job: ExportJob) -> str:
    name = job.model.name
    if job.content == "gguf":
        return "```\nllama-cli -m path/to/this/file.gguf\n```\n"
    if job.content == "merged":
        return """```python
from transformers import AutoModelForCausalLM, AutoTokenizer

model = AutoModelForCausalLM.from_pretrained("path/to/this/folder")
tokenizer = AutoTokenizer.from_pretrained("path/to/this/folder")
```
"""
    revision = f", revision={job.model.revision!r}" if job.model.revision else ""
    return f"""```python
from peft import PeftModel
from transformers import AutoModelForCausalLM, AutoTokenizer

base = AutoModelForCausalLM.from_pretrained({name!r}{revision})
model = PeftModel.from_pretrained(base, "path/to/this/folder")
tokenizer = AutoTokenizer.from_pretrained({name!r}{revision})
```
"""


def _versions(job: ExportJob) -> str:
    trained = job.facts.versions or versions()
    return "\n".join(f"- {library} {number}" for library, number in trained.items())
