"""Answers by who got them right: the base, the model, both or neither. Pure."""

from __future__ import annotations

from typing import Literal

from app.evaluations.schemas import Example

Quadrant = Literal["regressed", "improved", "both_right", "both_wrong"]
WORST_FIRST: tuple[Quadrant, ...] = ("regressed", "both_wrong", "both_right", "improved")


def quadrant(example: Example) -> Quadrant | None:
    """Which of the four; None if it was not compared with the base."""
    kept = example.retention
    if kept is None:
        return None
    if kept.base_correct:
        return "both_right" if example.correct else "regressed"
    return "improved" if example.correct else "both_wrong"


def grade(example: Example) -> float:
    """Partial credit where the task has it, else 0 or 1."""
    return float(example.correct) if example.partial is None else example.partial


def gain(example: Example) -> float | None:
    """The grade less that of the base's answer; None if it was not compared with the base."""
    kept = example.retention
    if kept is None:
        return None
    if example.partial is not None and kept.base_partial is not None:
        return example.partial - kept.base_partial
    return float(example.correct) - float(kept.base_correct)
