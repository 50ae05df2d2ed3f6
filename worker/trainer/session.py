"""A run from its configuration to its adapter. Importing this module imports torch."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import torch
from torch import distributed
from transformers.utils import logging as transformers_logging

from core.config import RunConfig
from core.evaluation_config import training_sets
from core.views import Views
from worker.trainer import device as devices
from worker.trainer.chat import Chat, load_tokenizer
from worker.trainer.checkpoint import check_same_run, find_snapshot
from worker.trainer.configuration import dump_config
from worker.trainer.dataset import (
    NAMED_LINES,
    VIEWS_TOO_LONG,
    Dataset,
    check_context,
    describe_dropped,
    prepare,
)
from worker.trainer.ema import add_ema
from worker.trainer.environment import report_start
from worker.trainer.evaluation.answers import Writer
from worker.trainer.evaluation.evaluator import Evaluator
from worker.trainer.evaluation.examinations import Examinations
from worker.trainer.evaluation.questions import load_questions
from worker.trainer.evaluation.references import Reference, references
from worker.trainer.event_log import EventLog
from worker.trainer.failures import PeerLostError, mistake, write_failure
from worker.trainer.files import write_atomically
from worker.trainer.interrupt import Interrupt, StopRequested
from worker.trainer.loop import Trainer
from worker.trainer.model import (
    Network,
    check_targets,
    context_length,
    load_model_config,
    load_network,
    out_of_memory,
    skeleton,
)
from worker.trainer.preparation.asking import Asker
from worker.trainer.preparation.contexts import prepare_contexts
from worker.trainer.processes import Processes
from worker.trainer.randomness import derive_seed
from worker.trainer.rollout import Rollout
from worker.trainer.samplers import make_sampler
from worker.trainer.saving import History, save_adapters
from worker.trainer.schedule import total_steps

PROGRESS_EVERY: Final = 200
CONFIG_FILE: Final = "run.yaml"


def execute(
    config: RunConfig,
    log: EventLog,
    interrupt: Interrupt,
    resume: Path | None = None,
    processes: Processes | None = None,
) -> None:
    """Train as configured, writing into the log's folder.

    Args:
        config: the run's configuration.
        log: of the folder for everything written.
        interrupt: looked at between the parts of the work.
        resume: folder of an earlier attempt, whose newest whole checkpoint to go on from.
        processes: this process among those that train together; None to find out.

    Raises:
        StopRequested: a stop was asked for; the adapter was saved if a step was finished.
        StudioError: what went wrong, and how to mend it.
    """
    transformers_logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    device = devices.choose_device(config.training.device)
    devices.check_count(config.training.devices, device)
    together = processes or Processes.join(device.type)
    _check_together(config, together)
    interrupt.patient = not together.alone
    if together.leads:
        _freeze(config, log)
    dtype = devices.choose_dtype(config.model.dtype, device)
    on_what = devices.describe(device) + _times(together.count)
    report_start(log, on_what, dtype, config.training.seed)
    try:
        together.check(interrupt, device)
        trainer = _assemble(config, log, interrupt, (device, dtype), together)
        if resume is not None:
            _resume(trainer, resume)
        _train_and_save(trainer)
        together.leave()
    except StopRequested:
        together.leave()
        raise
    except distributed.DistError as error:
        raise PeerLostError(f"The exchange with the other processes failed: {error}") from error
    except (torch.OutOfMemoryError, MemoryError) as error:
        raise out_of_memory("training", config) from error
    except RuntimeError as error:
        if "can't allocate memory" in str(error):  # the CPU allocator has no class of its own
            raise out_of_memory("training", config) from error
        raise


def _check_together(config: RunConfig, processes: Processes) -> None:
    if config.training.devices != processes.count:
        raise mistake(
            "devices_mismatch",
            f"The run asks for {config.training.devices} devices, and {processes.count} processes "
            "came together.",
            f"Set training.devices to {processes.count}, or start the run without a launcher of "
            "your own: it starts its processes itself.",
            field="training.devices",
        )


def _freeze(config: RunConfig, log: EventLog) -> None:
    path = log.folder / CONFIG_FILE
    try:
        write_atomically(path, dump_config(config).encode())
    except OSError as error:
        raise write_failure(path, error) from error


def _assemble(
    config: RunConfig,
    log: EventLog,
    interrupt: Interrupt,
    on: tuple[torch.device, torch.dtype],
    processes: Processes,
) -> Trainer:
    """Check the data first, as it is quick, then load the weights."""
    log.phase("preparing", "Reading the data")
    tokenizer = load_tokenizer(config.model)
    chat = Chat(tokenizer, config)
    context = context_length(load_model_config(config.model))
    dataset = _prepare_data(config, chat, log, interrupt)
    end_id = tokenizer.eos_token_id
    held_out = references(dataset.held_out, chat, end_id) if end_id is not None else []
    check_context(config, dataset, context, _lengths(held_out))
    sets = [
        load_questions(one, tokenizer, config.data.system_prompt, context)
        for one in training_sets(config.evaluation, config.data)
    ]
    processes.check(interrupt, on[0])
    log.phase("loading", f"Loading {config.model.name}")
    seed = derive_seed(config.training.seed, "adapter")
    network = load_network(config.model, tokenizer, *on, seed)
    if config.teacher.weights == "ema":
        add_ema(network)
    _describe_model(network, config, log)
    processes.check(interrupt, on[0])
    sampler = make_sampler(network, config, interrupt)
    asker = Asker(config, chat, sampler, log, interrupt, context)
    views, kept, presampled = _prepare_views(asker, dataset, processes)
    writer = Writer(network, config.model, interrupt, config.training.seed)
    evaluator = Evaluator(writer, tokenizer, log, None, config.data.system_prompt)
    steps = total_steps(config.training, len(dataset.train), processes.count)
    return Trainer(
        config,
        log,
        interrupt,
        network,
        sampler,
        chat,
        dataset,
        lambda index, epoch: views.example(kept[index], epoch),
        held_out,
        History(steps, dataset.sha256),
        presampled=presampled,
        processes=processes,
        examinations=Examinations(evaluator, sets) if sets else None,
        identity=_identity(config, dataset, on, processes),
    )


def _identity(
    config: RunConfig, dataset: Dataset, on: tuple[torch.device, torch.dtype], processes: Processes
) -> dict[str, Any]:
    """What a resumed run must share with its checkpoint, and what exactness depends on."""
    device, dtype = on
    return {
        "identity": {"configuration": _comparable(config), "data": dataset.sha256},
        "environment": {
            "device": devices.describe(device),
            "number format": str(dtype),
            "processes": processes.count,
            "versions": devices.versions(),
        },
    }


def _comparable(config: RunConfig) -> dict[str, Any]:
    """What is the same in a run that goes on.

    How often and how many checkpoints and records are kept changes nothing that is computed, nor
    does the place of the data, which differs from host to host; their hash is compared.
    """
    return config.model_dump(
        mode="json",
        exclude={
            "recording": True,
            "data": {"path"},
            "training": {"checkpoint_every_steps", "keep_checkpoints", "device"},
        },
    )


def _completed(saved: dict[str, Any], defaults: dict[str, Any]) -> dict[str, Any]:
    """A configuration of an earlier version, with the defaults of what it did not know."""
    completed = defaults | saved
    for name, value in completed.items():
        inner = defaults.get(name)
        if isinstance(value, dict) and isinstance(inner, dict):
            completed[name] = _completed(value, inner)
    return completed


def _resume(trainer: Trainer, folder: Path) -> None:
    """Go on from the newest whole checkpoint, and say whether exactly."""
    found = find_snapshot(folder)
    identity = found.snapshot.state["identity"]
    defaults = _comparable(RunConfig(data=trainer.config.data))
    identity["configuration"] = _completed(identity["configuration"], defaults)
    # Earlier versions kept the place of the data.
    identity["configuration"]["data"].pop("path", None)
    for name, reason in found.damaged.items():
        trainer.log.say(f"The checkpoint {name} is damaged and was passed over: {reason}.", "error")
    reasons = check_same_run(found.snapshot.state, trainer.identity)
    if trainer.network.device.type != "cpu":
        reasons.append("kernels on this device may add in another order each time")
    elif trainer.network.head_VH.dtype != torch.float32:
        reasons.append("only float32 is promised to repeat bit for bit")
    trainer.restore(found.snapshot)
    done = trainer.history.steps
    why = "; ".join(reasons)
    trainer.log.emit("resumed", step=done, exact=not reasons, reason=why)
    exact = f"not promised to be bit for bit ({why})" if reasons else "exactly"
    trainer.log.say(f"Resumed after step {done} from {found.folder}, {exact}.")


def _lengths(held_out: list[Reference]) -> list[int]:
    return [len(reference.prompt) + len(reference.completion) for reference in held_out]


def _prepare_data(config: RunConfig, chat: Chat, log: EventLog, interrupt: Interrupt) -> Dataset:
    def progress(read: int) -> None:
        if read % PROGRESS_EVERY == 0:
            log.phase("preparing", "Measuring the prompts", read)
        interrupt.check()

    dataset = prepare(config, chat, progress)
    _report_dataset(dataset, log)
    if dataset.oversized:
        log.say(describe_dropped(dataset, config), "warning")
    return dataset


def _report_dataset(dataset: Dataset, log: EventLog) -> None:
    log.emit(
        "dataset",
        sha256=dataset.sha256,
        records=dataset.read,
        train=len(dataset.train),
        held_out=len(dataset.held_out),
        dropped=dataset.dropped,
    )


def _prepare_views(
    asker: Asker, dataset: Dataset, processes: Processes
) -> tuple[Views, list[int], list[Rollout]]:
    """Make the contexts, and drop the records for which not enough of them fit.

    Returns:
        The views of all records, the indices of those that are left to train on, and the
        completions of these that were sampled before.
    """
    records = list(dataset.train)
    # The one that leads fills the cache, the others read it.
    contexts = processes.lead(lambda: prepare_contexts(asker, records), asker.interrupt)
    if contexts is None:
        contexts = prepare_contexts(asker, records)
    views = Views(asker.chat, asker.config, records, contexts)
    kept = [index for index in range(len(records)) if views.fits(index)]
    left = set(kept)
    dataset.without_views = [
        record.line for index, record in enumerate(records) if index not in left
    ]
    dataset.train = [records[index] for index in kept]
    if dataset.without_views:
        _tell_dropped_views(asker, dataset)
    presampled = [contexts.presampled[index] for index in kept] if contexts.presampled else []
    return views, kept, presampled


def _tell_dropped_views(asker: Asker, dataset: Dataset) -> None:
    limit = asker.config.generation.max_prompt_length
    lines, left = dataset.without_views, len(dataset.train)
    if not left:
        raise mistake(
            VIEWS_TOO_LONG,
            f"For no record do enough auxiliary prompts fit into {limit} tokens.",
            "Raise generation.max_prompt_length, or lower objective.agreement.views.",
            field="generation.max_prompt_length",
        )
    named = ", ".join(map(str, lines[:NAMED_LINES]))
    asker.log.say(
        f"{len(lines)} records were dropped, as not enough auxiliary prompts fit into {limit} "
        f"tokens (lines {named}{' and more' if len(lines) > NAMED_LINES else ''}).",
        "warning",
    )
    _report_dataset(dataset, asker.log)


def _describe_model(network: Network, config: RunConfig, log: EventLog) -> None:
    trainable = sum(parameter.numel() for parameter in network.trainable())
    total = sum(parameter.numel() for parameter in network.peft.parameters())
    log.say(
        f"Loaded {config.model.name}: {total - trainable:,} frozen parameters in "
        f"{str(network.head_VH.dtype).removeprefix('torch.')}, {trainable:,} trainable ones in "
        f"float32, on {devices.describe(network.device)}."
    )


def _train_and_save(trainer: Trainer) -> None:
    """Train; save the adapter at the end and also after a stop, if there is something in it."""
    try:
        trainer.train()
    except StopRequested:
        done = trainer.history.steps
        trainer.log.say(f"Stopped on request after {done} of {trainer.history.total_steps} steps.")
        if done:
            trainer.keep_checkpoint()
            _save(trainer)
        else:
            trainer.log.say("No step was finished, so there is no adapter to save.")
        raise
    _save(trainer)


def _save(trainer: Trainer) -> None:
    trainer.log.phase("saving", "Writing the adapter")
    if trainer.processes.leads:
        save_adapters(trainer.network, trainer.config, trainer.history, trainer.log)


def check(config: RunConfig) -> list[str]:
    """Validate a run without loading weights: data, tokenizer, prompt lengths, adapter targets.

    Returns:
        Lines of a report.

    Raises:
        StudioError: the first thing that would keep the run from starting.
    """
    device = devices.choose_device(config.training.device)
    devices.check_count(config.training.devices, device)
    tokenizer = load_tokenizer(config.model)
    chat = Chat(tokenizer, config)
    model_config: Any = load_model_config(config.model)
    check_targets(skeleton(model_config), config.model.lora)
    dataset = prepare(config, chat, lambda _read: None)
    held_out = references(dataset.held_out, chat, tokenizer.eos_token_id or 0)
    context = context_length(model_config)
    check_context(config, dataset, context, _lengths(held_out))
    return _report(config, dataset, context, device)


def _report(
    config: RunConfig, dataset: Dataset, context: int | None, device: torch.device
) -> list[str]:
    dtype = str(devices.choose_dtype(config.model.dtype, device)).removeprefix("torch.")
    longest = config.generation.max_prompt_length
    lines = [
        f"Model: {config.model.name}, {dtype}, context of {context or 'unknown'} tokens.",
        f"Device: {devices.describe(device)}{_times(config.training.devices)}.",
        f"Data: {dataset.read} records, SHA-256 {dataset.sha256}.",
        f"Records to train on: {len(dataset.train)}.",
        f"Records held out: {len(dataset.held_out)}; dropped: {len(dataset.oversized)}.",
        f"Longest prompt: {dataset.longest_prompt} of at most {longest} tokens.",
        f"Steps: {total_steps(config.training, len(dataset.train), config.training.devices)}.",
    ]
    if dataset.oversized:
        lines.append(f"Warning: {describe_dropped(dataset, config)}")
    return [*lines, "The configuration is valid."]


def _times(count: int) -> str:
    return f", {count} of them" if count > 1 else ""
