"""Figures of a set over its questions, each of which counts once however often it is answered."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from worker.trainer.evaluation.questions import Questions

Row = Mapping[str, Any]


def summarize(questions: Questions, answers: Sequence[Row]) -> dict[str, Any]:
    """Accuracy, extraction rate and what else the grader gave.

    Args:
        questions: the set.
        answers: rows of all answers.

    Returns:
        Plain data. A figure that a task does not have is absent.
    """

    def mean(value: Callable[[Row], float]) -> float:
        return _by_question(answers, value)

    found: dict[str, Any] = {
        "questions": len({row["index"] for row in answers}),
        "answers": len(answers),
        "dropped": questions.dropped,
        "accuracy": mean(lambda row: float(row["correct"])),
        "extracted": mean(lambda row: float(row["extracted"] is not None)),
        "tokens": mean(lambda row: float(row["tokens"])),
        "truncated": mean(lambda row: float(row["truncated"])),
    }
    if questions.chance is not None:
        found["chance"] = questions.chance
    if any(row["partial"] is not None for row in answers):
        found["partial"] = mean(lambda row: row["partial"] or 0.0)
    details = [row["detail"] for row in answers if row["detail"]]
    isolations = sorted({detail["isolation"] for detail in details if "isolation" in detail})
    if isolations:
        found["isolation"] = isolations
    return found


def summarize_retention(rows: Sequence[Row]) -> dict[str, Any]:
    """Forward, reverse and gold fit, each as the distribution of its means per example."""
    found: dict[str, Any] = {"examples": len(rows)}
    if rows:
        found["base_accuracy"] = _by_question(rows, lambda row: float(row["base_correct"]))
    for direction in ("forward", "reverse", "gold"):
        parts = [row[direction] for row in rows if row[direction] is not None]
        found[direction] = {
            name: distribution([part[name] for part in parts])
            for name in ("base_logprob", "tuned_logprob", "jsd")
        } | {"empty": len(rows) - len(parts)}
        for name in ("base", "tuned"):
            logprob = found[direction][f"{name}_logprob"].get("mean")
            found[direction][f"{name}_perplexity"] = None if logprob is None else _exp(-logprob)
    return found


def metrics(summary: Mapping[str, Any]) -> dict[str, float]:
    """A summary's figures as metrics by their paths."""
    prefix = f"eval/{summary['set']}"
    names = ("accuracy", "extracted", "partial", "tokens", "truncated")
    found = {f"{prefix}/{name}": float(summary[name]) for name in names if name in summary}
    retention = summary.get("retention", {})
    for direction in ("forward", "reverse", "gold"):
        for name, values in retention.get(direction, {}).items():
            if isinstance(values, dict) and "mean" in values:
                found[f"{prefix}/retention/{direction}/{name}"] = values["mean"]
    return found


def distribution(values: Sequence[float]) -> dict[str, float]:
    """Mean, standard deviation and quantiles; empty where there is no value."""
    if not values:
        return {}
    ordered = sorted(values)
    mean = _mean(values)
    spread = sum((value - mean) ** 2 for value in values) / max(1, len(values) - 1)
    quantiles = {"p10": 0.1, "p25": 0.25, "median": 0.5, "p75": 0.75, "p90": 0.9}
    return {"mean": mean, "sd": math.sqrt(spread)} | {
        name: _quantile(ordered, share) for name, share in quantiles.items()
    }


def _quantile(ordered: Sequence[float], share: float) -> float:
    """Linear between neighbours, as numpy's default."""
    place = share * (len(ordered) - 1)
    low = math.floor(place)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (ordered[high] - ordered[low]) * (place - low)


def _by_question(rows: Sequence[Row], value: Callable[[Row], float]) -> float:
    """Mean over questions of the mean over a question's answers."""
    of_question: dict[int, list[float]] = defaultdict(list)
    for row in rows:
        of_question[row["index"]].append(value(row))
    return _mean(_mean(values) for values in of_question.values())


def _mean(values: Iterable[float]) -> float:
    found = list(values)
    return math.fsum(found) / len(found)


def _exp(value: float) -> float:
    return math.exp(value) if value < 700 else math.inf
