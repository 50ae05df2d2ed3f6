"""Finds a benchmark's file on this machine."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

from core.benchmarks import BENCHMARKS, Benchmark
from core.data_config import Source
from core.errors import Problem, StudioError

FOLDER_VARIABLE: Final = "UNISD_BENCHMARK_DIR"


def split_name(source: Source, *, training: bool) -> str:
    """The split of a benchmark that is meant.

    Raises:
        StudioError: `benchmark_split_unknown`, or `benchmark_evaluation_only` where there is
            nothing to train on.
    """
    benchmark = BENCHMARKS[source.layout]
    name = source.split or (benchmark.train if training else benchmark.evaluate)
    if name is None:
        raise StudioError(
            Problem(
                code="benchmark_evaluation_only",
                message=f"{benchmark.title} is for evaluation only.",
                remedy="Train on another data set.",
                field=f"{source.place}.benchmark",
            )
        )
    if name not in benchmark.splits:
        raise StudioError(
            Problem(
                code="benchmark_split_unknown",
                message=f"{benchmark.title} has no split “{name}”.",
                remedy=f"Choose among: {', '.join(benchmark.splits)}.",
                field=f"{source.place}.split",
            )
        )
    return name


def find_file(benchmark: Benchmark, split: str) -> Path | None:
    """The split's file in `UNISD_BENCHMARK_DIR`, or None."""
    folder = os.environ.get(FOLDER_VARIABLE)
    if not folder:
        return None
    candidates = (Path(folder).expanduser() / name for name in benchmark.splits[split].files)
    return next((path for path in candidates if path.is_file()), None)


def not_found(benchmark: Benchmark, split: str, place: str, tried: str = "") -> StudioError:
    """The error for a benchmark whose files are nowhere to be found."""
    names = " or ".join(benchmark.splits[split].files)
    folder = os.environ.get(FOLDER_VARIABLE)
    where = f"in {folder}" if folder else f"({FOLDER_VARIABLE} is not set)"
    return StudioError(
        Problem(
            code="benchmark_not_found",
            message=f"The split “{split}” of {benchmark.title} was not found {where}.{tried}",
            remedy=f"Put {names} into the folder that {FOLDER_VARIABLE} names.",
            field=f"{place}.benchmark",
        )
    )
