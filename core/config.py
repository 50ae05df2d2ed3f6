"""`RunConfig`: everything that defines a run, validated once and then frozen.

The same model feeds the API schema, the browser's form, the command line and the trainer. Every
field states its bounds, its meaning and its unit (`unit` in the JSON schema; `-` where there is
none); `advanced` marks what the simple form hides.
"""

from __future__ import annotations

from typing import Final, Literal, Self

from pydantic import Field, model_validator

from core.config_part import FieldName, Part, ShortText, extra
from core.data_config import DataConfig
from core.evaluation_config import EvaluationConfig
from core.objective_config import ObjectiveConfig, TeacherConfig, check_combination

CONFIG_VERSION: Final = 1


class LoraConfig(Part):
    """Low-rank adapter that the student trains (Hu et al., 2021)."""

    rank: int = Field(
        default=64,
        ge=1,
        le=512,
        description="Rank of the adapter's factors.",
        json_schema_extra=extra("dimensions"),
    )
    alpha: float = Field(
        default=128.0,
        gt=0,
        le=4096,
        description="Scale: the update is multiplied by alpha / rank.",
        json_schema_extra=extra("-"),
    )
    dropout: float = Field(
        default=0.05,
        ge=0,
        lt=1,
        description="Dropout on the adapter's input in the student's pass. "
        "Never active while sampling.",
        json_schema_extra=extra("probability", advanced=True),
    )
    target_modules: tuple[FieldName, ...] = Field(
        default=("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"),
        min_length=1,
        max_length=64,
        description="Names of the linear layers that get an adapter.",
        json_schema_extra=extra("-", advanced=True),
    )


class ModelConfig(Part):
    """The model to adapt: its frozen weights serve student and teachers alike."""

    name: ShortText = Field(
        default="HuggingFaceTB/SmolLM2-135M-Instruct",
        description="Hugging Face model id, or a folder on the worker that holds one.",
        json_schema_extra=extra("-"),
    )
    revision: ShortText | None = Field(
        default=None,
        description="Branch, tag or commit of the model on the hub. Empty: the default branch.",
        json_schema_extra=extra("-", advanced=True),
    )
    dtype: Literal["auto", "float32", "bfloat16"] = Field(
        default="auto",
        description="Number format of the frozen weights. `auto` takes bfloat16 where the "
        "processor computes in it, else float32. Losses are always summed in float32.",
        json_schema_extra=extra("-", advanced=True),
    )
    quantization: Literal["none", "int8", "nf4"] = Field(
        default="none",
        description="Frozen weights in 8 or 4 bits, through bitsandbytes (optional extra "
        "`quantization`).",
        json_schema_extra=extra("-", advanced=True),
    )
    lora: LoraConfig = Field(
        default_factory=LoraConfig,
        description="The trainable adapter.",
        json_schema_extra=extra("-"),
    )


class TrainingConfig(Part):
    """Optimisation: AdamW with warm-up and a schedule, gradient clipping and accumulation."""

    max_steps: int | None = Field(
        default=None,
        ge=1,
        le=10_000_000,
        description="Optimizer steps. Empty: as many as `epochs` asks for.",
        json_schema_extra=extra("steps"),
    )
    epochs: float = Field(
        default=1.0,
        gt=0,
        le=1000,
        description="Passes over the records; ignored when `max_steps` is set.",
        json_schema_extra=extra("epochs"),
    )
    devices: int = Field(
        default=1,
        ge=1,
        le=64,
        description="Devices of one host that train together. Each takes `batch_size` sequences "
        "per pass, so the global batch grows with their number: `devices` × `batch_size` × "
        "`gradient_accumulation_steps` sequences per optimizer step.",
        json_schema_extra=extra("devices", advanced=True),
    )
    batch_size: int = Field(
        default=4,
        ge=1,
        le=4096,
        description="Sequences per forward pass and device.",
        json_schema_extra=extra("sequences"),
    )
    gradient_accumulation_steps: int = Field(
        default=4,
        ge=1,
        le=4096,
        description="Forward passes per optimizer step and device; the loss is the mean over the "
        "whole global batch.",
        json_schema_extra=extra("passes"),
    )
    learning_rate: float = Field(
        default=2e-5,
        gt=0,
        le=1,
        description="Peak learning rate of AdamW.",
        json_schema_extra=extra("-"),
    )
    schedule: Literal["cosine", "linear", "constant"] = Field(
        default="cosine",
        description="Course of the learning rate after the warm-up.",
        json_schema_extra=extra("-", advanced=True),
    )
    warmup_ratio: float = Field(
        default=0.1,
        ge=0,
        lt=1,
        description="Share of the steps over which the learning rate rises linearly from 0.",
        json_schema_extra=extra("share", advanced=True),
    )
    weight_decay: float = Field(
        default=0.0,
        ge=0,
        le=1,
        description="Decoupled weight decay of AdamW.",
        json_schema_extra=extra("-", advanced=True),
    )
    max_grad_norm: float | None = Field(
        default=1.0,
        gt=0,
        le=1e6,
        description="Gradients are scaled down to this global 2-norm. Empty: no clipping.",
        json_schema_extra=extra("-", advanced=True),
    )
    gradient_checkpointing: bool = Field(
        default=False,
        description="Recompute activations in the backward pass: less memory, more time.",
        json_schema_extra=extra("-", advanced=True),
    )
    checkpoint_every_steps: int | None = Field(
        default=100,
        ge=1,
        le=1_000_000,
        description="Steps between checkpoints, from which a run resumes. Empty: none.",
        json_schema_extra=extra("steps", advanced=True),
    )
    keep_checkpoints: int = Field(
        default=2,
        ge=1,
        le=1000,
        description="Newest checkpoints that are kept.",
        json_schema_extra=extra("checkpoints", advanced=True),
    )
    seed: int = Field(
        default=42,
        ge=0,
        le=2**32 - 1,
        description="Seed of adapter initialisation, data order, sampling and dropout.",
        json_schema_extra=extra("-"),
    )
    device: Literal["auto", "cpu", "cuda", "mps"] = Field(
        default="auto",
        description="`auto` takes a GPU where the worker has one.",
        json_schema_extra=extra("-", advanced=True),
    )


class GenerationConfig(Part):
    """How the student samples its rollouts."""

    temperature: float = Field(
        default=0.7,
        ge=0.05,
        le=5,
        description="Sampling temperature; the divergence is taken at the same temperature.",
        json_schema_extra=extra("-"),
    )
    top_p: float = Field(
        default=1.0,
        gt=0,
        le=1,
        description="Nucleus: sample from the smallest set of tokens with this probability.",
        json_schema_extra=extra("probability", advanced=True),
    )
    top_k: int = Field(
        default=0,
        ge=0,
        le=1_000_000,
        description="Sample from the so many likeliest tokens. 0: all.",
        json_schema_extra=extra("tokens", advanced=True),
    )
    backend: Literal["transformers", "vllm"] = Field(
        default="transformers",
        description="What samples. `vllm` is an optional extra and needs a GPU.",
        json_schema_extra=extra("-", advanced=True),
    )
    batch_size: int | None = Field(
        default=None,
        ge=1,
        le=65_536,
        description="Rollouts sampled side by side. Empty: all of an optimizer step.",
        json_schema_extra=extra("sequences", advanced=True),
    )
    max_completion_length: int = Field(
        default=256,
        ge=1,
        le=131_072,
        description="Longest rollout.",
        json_schema_extra=extra("tokens"),
    )
    max_prompt_length: int = Field(
        default=1024,
        ge=8,
        le=1_048_576,
        description="Longest prompt of any view. Records that do not fit are dropped and counted "
        "before training; nothing is cut.",
        json_schema_extra=extra("tokens"),
    )


class RecordingConfig(Part):
    """Which rollouts are kept with their per-token values."""

    every_steps: int = Field(
        default=1,
        ge=1,
        le=1_000_000,
        description="Steps between recordings.",
        json_schema_extra=extra("steps", advanced=True),
    )
    trajectories_per_step: int = Field(
        default=2,
        ge=0,
        le=1024,
        description="Rollouts kept from each recorded step. 0: none.",
        json_schema_extra=extra("trajectories", advanced=True),
    )
    pinned_examples: int = Field(
        default=2,
        ge=0,
        le=64,
        description="Training records that are sampled anew at every `pinned_every_steps`, so that "
        "one example can be followed through training.",
        json_schema_extra=extra("records", advanced=True),
    )
    pinned_every_steps: int = Field(
        default=25,
        ge=1,
        le=1_000_000,
        description="Steps between recordings of the pinned examples.",
        json_schema_extra=extra("steps", advanced=True),
    )
    top_k: int = Field(
        default=5,
        ge=1,
        le=50,
        description="Most likely alternatives kept per token, for student and teacher.",
        json_schema_extra=extra("tokens", advanced=True),
    )


class RunConfig(Part):
    """Everything that defines a run. Stored immutably with it."""

    version: Literal[1] = Field(
        default=CONFIG_VERSION,
        description="Version of this schema.",
        json_schema_extra=extra("-", advanced=True),
    )
    model: ModelConfig = Field(
        default_factory=ModelConfig,
        description="The model to adapt and its adapter.",
        json_schema_extra=extra("-"),
    )
    data: DataConfig = Field(description="The worked examples.", json_schema_extra=extra("-"))
    objective: ObjectiveConfig = Field(
        default_factory=ObjectiveConfig,
        description="What is minimised.",
        json_schema_extra=extra("-"),
    )
    teacher: TeacherConfig = Field(
        default_factory=TeacherConfig,
        description="Weights and context of the teacher.",
        json_schema_extra=extra("-"),
    )
    training: TrainingConfig = Field(
        default_factory=TrainingConfig,
        description="Optimisation.",
        json_schema_extra=extra("-"),
    )
    generation: GenerationConfig = Field(
        default_factory=GenerationConfig,
        description="Sampling of rollouts.",
        json_schema_extra=extra("-"),
    )
    evaluation: EvaluationConfig = Field(
        default_factory=EvaluationConfig,
        description="Evaluation inside the run.",
        json_schema_extra=extra("-"),
    )
    recording: RecordingConfig = Field(
        default_factory=RecordingConfig,
        description="What is kept for inspection.",
        json_schema_extra=extra("-"),
    )

    @model_validator(mode="after")
    def _mechanisms_fit_together(self) -> Self:
        check_combination(self.objective, self.teacher)
        return self
