"""Makes a GGUF file with llama.cpp's converter, where one is installed on this machine.

The converter knows how each family's tensors and tokenizer are written, and changes with llama.cpp;
none of that is repeated here (`docs/decisions/0018-exports.md`).
"""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path
from typing import Final

from core.export_job import GgufType
from core.gguf import HOW_TO_GET, find_converter
from worker.trainer.failures import failure, mistake
from worker.trainer.interrupt import Interrupt

_LOOK_SECONDS: Final = 0.1
_LAST_WORDS: Final = 800


def convert(source: Path, target: Path, gguf_type: GgufType, interrupt: Interrupt) -> None:
    """Make a GGUF file of a model's folder.

    Raises:
        StudioError: `gguf_converter_missing`, `gguf_converter_failed`.
        StopRequested: a stop was asked for.
    """
    converter = find_converter()
    if converter is None:
        raise mistake(
            "gguf_converter_missing",
            "This worker has no converter to GGUF.",
            HOW_TO_GET,
        )
    program = [sys.executable, str(converter)] if converter.suffix == ".py" else [str(converter)]
    words = target.with_suffix(".log")
    command = [*program, str(source), "--outfile", str(target), "--outtype", gguf_type]
    with words.open("wb") as log:
        process = subprocess.Popen(  # noqa: S603 - the converter that the worker's owner named
            command, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT
        )
        try:
            while process.poll() is None:
                interrupt.check()
                time.sleep(_LOOK_SECONDS)
        finally:
            process.kill()
            process.wait()
    said = " ".join(words.read_text(errors="replace").split())[-_LAST_WORDS:]
    words.unlink()
    if process.returncode != 0 or not target.is_file():
        raise failure(
            "gguf_converter_failed",
            f"{converter.name} ended with exit code {process.returncode}. Its last words: {said}",
            "See whether this version of llama.cpp knows the model's architecture, and has the "
            "Python packages that it needs.",
        )
