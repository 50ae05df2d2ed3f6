"""Which results of evaluations stand against which. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from app.comparisons.repository import Result
from app.comparisons.schemas import (
    EvaluationCell,
    EvaluationPair,
    EvaluationResult,
    EvaluationRow,
)
from app.evaluations.comparison import rate_intervals
from app.statistics import Interval, mean_interval


class Found(NamedTuple):
    """A result, and how the page names it."""

    shown: EvaluationResult
    summary: Mapping[str, Any]


def newest(
    results: Sequence[Result], made_for: Mapping[str, str], seeds: Mapping[str, int]
) -> dict[str, dict[str, Found]]:
    """The newest result on each set of each compared run: by set, then by run.

    Args:
        results: in the order in which they were made.
        made_for: evaluations of their own to the run that they are of.
        seeds: of the compared runs.
    """
    found: dict[str, dict[str, Found]] = {}
    for result in results:
        # An evaluation that is compared itself stands for itself.
        run_id = result.run_id if result.run_id in seeds else made_for[result.run_id]
        payload: Mapping[str, Any] = result.payload
        shown = EvaluationResult(
            name=f"{result.run_id}:{result.cursor}",
            run_id=run_id,
            made_by=result.run_id,
            seed=seeds[run_id],
            step=result.step if result.run_id == run_id else None,
            questions=payload["summary"].get("questions"),
            answers=payload["summary"].get("answers"),
        )
        of_set = found.setdefault(str(payload["set"]), {})
        of_set[run_id] = Found(shown, payload["summary"])
    return found


def rows(
    columns: Sequence[Sequence[str]], found: Mapping[str, Mapping[str, Found]]
) -> list[EvaluationRow]:
    """Every set that any run was asked.

    Args:
        columns: of each column, the baseline's first, its runs by seed.
        found: results by set, then by run.
    """
    return [_row(name, columns, found[name]) for name in sorted(found)]


def _row(name: str, columns: Sequence[Sequence[str]], of_set: Mapping[str, Found]) -> EvaluationRow:
    results = [[of_set[run] for run in column if run in of_set] for column in columns]
    chances = {one.summary.get("chance") for column in results for one in column}
    return EvaluationRow(
        set=name,
        chance=chances.pop() if len(chances) == 1 else None,
        cells=[
            _cell(of, results[0], len(column), baseline=place == 0)
            for place, (of, column) in enumerate(zip(results, columns, strict=True))
        ],
    )


def _cell(
    results: Sequence[Found], baseline_results: Sequence[Found], runs: int, *, baseline: bool
) -> EvaluationCell:
    pair, told = (None, "") if baseline else _pair(baseline_results, results)
    lacking = f"{len(results)} of {runs} runs have a result" if 0 < len(results) < runs else ""
    if baseline and not results:
        told = "The baseline was not asked this set."
    return EvaluationCell(
        results=[one.shown for one in results],
        accuracy=_accuracy(results),
        jsd=_mean(results, "jsd"),
        base_logprob=_mean(results, "base_logprob"),
        pair=pair,
        reason=told if pair is None else "",
        note="; ".join(filter(None, [lacking, told if pair else ""])),
    )


def _pair(baseline: Sequence[Found], others: Sequence[Found]) -> tuple[EvaluationPair | None, str]:
    """What stands against what, and why not or on what terms."""
    if not others:
        return None, "Not asked this set."
    if not baseline:
        return None, "The baseline was not asked this set."
    ones = {one.shown.seed: one.shown.name for one in baseline}
    twos = {one.shown.seed: one.shown.name for one in others}
    if len(ones) == 1:
        (name,) = ones.values()
        told = "the baseline is one run, taken as it is" if len(twos) > 1 else ""
        return EvaluationPair(first=[name] * len(twos), second=list(twos.values())), told
    if len(twos) == 1:
        (name,) = twos.values()
        told = "this is one run, taken as it is"
        return EvaluationPair(first=list(ones.values()), second=[name] * len(ones)), told
    common = [seed for seed in ones if seed in twos]
    if not common:
        return None, "No seed in common: compare single runs, with seeds apart."
    told = f"over {len(common)} common seeds" if len(common) < max(len(ones), len(twos)) else ""
    return (
        EvaluationPair(first=[ones[s] for s in common], second=[twos[s] for s in common]),
        told,
    )


def _accuracy(results: Sequence[Found]) -> Interval:
    if len(results) == 1:
        summary = results[0].summary
        found = rate_intervals(summary).get("accuracy")
        if found is not None:
            return found
        note = "several answers to a question: no interval of a rate"
        return Interval(estimate=summary.get("accuracy"), n=1, note=note)
    found = mean_interval([one.summary["accuracy"] for one in results if "accuracy" in one.summary])
    if found.low is None or found.high is None:
        return found
    # Of two seeds that differ, a t interval reaches beyond what a share can be.
    return found.model_copy(update={"low": max(0.0, found.low), "high": min(1.0, found.high)})


def _mean(results: Sequence[Found], name: str) -> Interval:
    """Over seeds, of what a summary says of forward retention."""
    values = [
        value
        for one in results
        if (value := _forward(one.summary).get(name, {}).get("mean")) is not None
    ]
    if len(values) < len(results):
        values = []
    return mean_interval(values)


def _forward(summary: Mapping[str, Any]) -> Mapping[str, Any]:
    found: Mapping[str, Any] = summary.get("retention", {}).get("forward", {})
    return found
