"""The benchmarks that are built in, and whether their files are on the API's machine."""

from __future__ import annotations

from app.datasets.schemas import BenchmarkList, BenchmarkOut, SplitOut
from core.benchmarks import BENCHMARKS, Benchmark
from core.benchmarks.locate import find_file


def list_benchmarks() -> BenchmarkList:
    """All of them, in the order of the documentation."""
    return BenchmarkList(items=[_show(benchmark) for benchmark in BENCHMARKS.values()])


def _show(benchmark: Benchmark) -> BenchmarkOut:
    return BenchmarkOut(
        name=benchmark.name,
        title=benchmark.title,
        licence=benchmark.licence,
        repository=benchmark.repository,
        train=benchmark.train,
        evaluate=benchmark.evaluate,
        splits=[
            SplitOut(
                name=name,
                here=find_file(benchmark, name) is not None,
                on_hub=bool(benchmark.repository and split.hub),
            )
            for name, split in benchmark.splits.items()
        ],
    )
