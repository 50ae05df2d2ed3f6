"""The benchmarks that are built in: one module for each, with its files, words and grading."""

from __future__ import annotations

from typing import Final

from core.benchmarks import code, cos_e, gpqa, gsm8k, scienceqa, toolalpaca
from core.benchmarks.benchmark import Benchmark, Split

BENCHMARKS: Final[dict[str, Benchmark]] = {
    benchmark.name: benchmark
    for benchmark in (
        scienceqa.BENCHMARK,
        cos_e.BENCHMARK,
        *code.BENCHMARKS,
        toolalpaca.BENCHMARK,
        gsm8k.BENCHMARK,
        *gpqa.BENCHMARKS,
    )
}

__all__ = ["BENCHMARKS", "Benchmark", "Split"]
