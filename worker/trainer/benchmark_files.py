"""Gets a benchmark's file: from `UNISD_BENCHMARK_DIR`, else from the hub."""

from __future__ import annotations

from fnmatch import fnmatch
from typing import TypeVar

from httpx2 import HTTPError
from huggingface_hub import HfApi, constants, hf_hub_download
from huggingface_hub.errors import (
    GatedRepoError,
    HfHubHTTPError,
    LocalEntryNotFoundError,
    RepositoryNotFoundError,
)

from core.benchmarks import BENCHMARKS, Benchmark
from core.benchmarks.locate import find_file, not_found, split_name
from core.data_config import Source
from core.errors import StudioError

SourceT = TypeVar("SourceT", bound=Source)


def obtain(source: SourceT, *, training: bool) -> SourceT:
    """The source with the path of its file on this machine.

    Raises:
        StudioError: `benchmark_not_found`, saying what was tried; or as `split_name`.
    """
    if source.benchmark is None:
        return source
    benchmark, split = BENCHMARKS[source.benchmark], split_name(source, training=training)
    found = find_file(benchmark, split)
    path = str(found) if found else _download(benchmark, split, source.place)
    # With a split, so that the rows of other splits in the same file are left out.
    update = {"path": path, "benchmark": None, "format": source.benchmark, "split": split}
    return source.model_copy(update=update)


def _download(benchmark: Benchmark, split: str, place: str) -> str:
    pattern = benchmark.splits[split].hub
    if not benchmark.repository or not pattern:
        raise not_found(benchmark, split, place, " The hub does not have it.")
    if constants.HF_HUB_OFFLINE:
        raise _missing(benchmark, split, place, "it is switched off here (HF_HUB_OFFLINE)")
    try:
        names = HfApi().list_repo_files(benchmark.repository, repo_type="dataset")
        matching = sorted(name for name in names if fnmatch(name, pattern))
        if len(matching) != 1:
            raise _missing(benchmark, split, place, f"it has {len(matching)} files {pattern}")
        return hf_hub_download(benchmark.repository, matching[0], repo_type="dataset")
    except GatedRepoError as error:
        raise _missing(benchmark, split, place, "its terms must be accepted first") from error
    except RepositoryNotFoundError as error:
        raise _missing(benchmark, split, place, "it has no such data set") from error
    except (HfHubHTTPError, HTTPError, LocalEntryNotFoundError, OSError) as error:
        raise _missing(benchmark, split, place, "it cannot be reached") from error


def _missing(benchmark: Benchmark, split: str, place: str, reason: str) -> StudioError:
    return not_found(
        benchmark, split, place, f" The hub ({benchmark.repository}) was no help: {reason}."
    )
