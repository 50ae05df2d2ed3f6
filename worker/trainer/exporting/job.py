"""An export from its configuration to its files. Importing this module imports torch."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import torch
from pydantic import ValidationError
from transformers.utils import logging as transformers_logging

from core.config_text import yaml_text
from core.errors import StudioError
from core.export_job import ExportCheck, ExportedFile, ExportJob, ExportKind
from core.validation import validation_problems
from worker.trainer import device as devices
from worker.trainer.configuration import read_yaml
from worker.trainer.environment import report_start
from worker.trainer.event_log import EventLog
from worker.trainer.exporting.card import find_licence, model_card
from worker.trainer.exporting.check import compare, load_exported
from worker.trainer.exporting.original import ask_original, load_original
from worker.trainer.exporting.push import push
from worker.trainer.exporting.writing import listed, write_files
from worker.trainer.failures import failure, write_failure
from worker.trainer.files import disk_errors, folder_written_atomically, write_atomically
from worker.trainer.interrupt import Interrupt
from worker.trainer.model import out_of_memory

CONFIG_FILE: Final = "export.yaml"
FOLDER: Final = "export"
"""Folder of the files, below the attempt's."""


def load_job(path: Path) -> ExportJob:
    """Read and validate an export's configuration.

    Raises:
        StudioError: `config_unreadable`, or `config_invalid` with one problem per mistake.
    """
    raw = read_yaml(path, "Exports are configured by the studio.")
    try:
        return ExportJob.model_validate(raw)
    except ValidationError as error:
        problems = validation_problems(error.errors(include_url=False), model=ExportJob)
        raise StudioError(*problems) from None


def execute_export(
    job: ExportJob, log: EventLog, interrupt: Interrupt, token: str | None = None
) -> None:
    """Make the files, check them, and push them where that is asked for.

    Args:
        job: what.
        log: tells progress and, at the end, the files and the check's outcome.
        interrupt: looked at between the parts.
        token: of the hub, for a push.

    Raises:
        StudioError: what went wrong, and how to mend it.
        StopRequested: a stop was asked for.
    """
    transformers_logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    device = devices.choose_device(job.device)
    dtype = devices.choose_dtype(job.model.dtype, device)
    report_start(log, devices.describe(device), dtype, job.config.training.seed)
    _freeze(job, log)
    try:
        _export(job, log, interrupt, token, (device, dtype))
    except (torch.OutOfMemoryError, MemoryError) as error:
        raise out_of_memory("exporting; a worker with more of it can do this") from error
    except OSError as error:
        raise write_failure(log.folder / FOLDER, error) from error


def _export(
    job: ExportJob,
    log: EventLog,
    interrupt: Interrupt,
    token: str | None,
    on: tuple[torch.device, torch.dtype],
) -> None:
    licence = find_licence(job.model)
    with _workplace(job, log.folder) as folder:
        check = _make(job, folder, log, interrupt, on, licence)
        log.phase("checking", "Hashing the files")
        files = listed(folder, interrupt.check)
        if not check.passed:
            _tell(log, check, [], None, licence)
            raise failure(
                "export_check_failed",
                f"The exported files do not answer like the original. {check.reason}",
                "Nothing was kept. Export again; if it stays so, this is a bug: please report it.",
            )
        url = _push(job, folder, files, log, interrupt, token)
    _tell(log, check, files, url, licence)


def _workplace(job: ExportJob, out: Path) -> AbstractContextManager[Path]:
    """Where the files are made. What goes to the hub is not kept here too."""
    if job.kind is ExportKind.HUB:
        return _passing(out)
    return folder_written_atomically(out / FOLDER)


@contextmanager
def _passing(out: Path) -> Iterator[Path]:
    passing = TemporaryDirectory(prefix=f".{FOLDER}.", suffix=".tmp", dir=out)
    with passing as folder, disk_errors():
        yield Path(folder)


def _make(
    job: ExportJob,
    folder: Path,
    log: EventLog,
    interrupt: Interrupt,
    on: tuple[torch.device, torch.dtype],
    licence: str | None,
) -> ExportCheck:
    """Write the files, load them anew, and compare."""
    log.phase("loading", f"Loading {job.model.name}")
    original = load_original(job, *on)
    interrupt.check()
    log.phase("exporting", "Asking the original")
    reference = ask_original(original, job, interrupt)
    stored = write_files(original, job, folder, log, interrupt)
    (folder / "README.md").write_text(model_card(job, licence), encoding="utf-8")
    model, tokenizer = original.model, original.tokenizer
    del original
    _free()
    log.phase("checking", "Loading what was exported")
    loaded = load_exported(job, folder, model, stored, on)
    interrupt.check()
    log.phase("checking", "Asking what was exported")
    check = compare(job, reference, loaded, tokenizer, on, interrupt)
    del loaded
    _free()
    return check


def _push(
    job: ExportJob,
    folder: Path,
    files: list[ExportedFile],
    log: EventLog,
    interrupt: Interrupt,
    token: str | None,
) -> str | None:
    """Push where that is asked for; returns the address of the commit."""
    if job.hub is None:
        return None
    if token is None:
        raise failure(
            "hub_token_gone", "The push has no token.", "Start the push anew with its token."
        )
    return push(folder, files, job.hub, token, log, interrupt)


def _tell(
    log: EventLog,
    check: ExportCheck,
    files: list[ExportedFile],
    url: str | None,
    licence: str | None,
) -> None:
    kept = FOLDER if files and url is None else None
    log.emit("export", path=kept, files=files, check=check, url=url, licence=licence)


def _freeze(job: ExportJob, log: EventLog) -> None:
    text = yaml_text(job.model_dump(mode="json"))
    write_atomically(log.folder / CONFIG_FILE, text.encode())


def _free() -> None:
    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
