"""Generates worked examples: small questions with an answer and the reasoning that leads to it.

Five families, each with its own way of being wrong for a small model: comparing prices, telling
time, sorting words, converting units, and following a rule. All is drawn from one seed, so that
the file is the same everywhere.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

RECORDS = 400
SEED = 7

_NAMES = ("Ana", "Ben", "Chloe", "Dan", "Eva", "Finn", "Gina", "Hugo", "Ida", "Jon")
_GOODS = ("apples", "pencils", "stamps", "marbles", "tickets", "buttons", "candles", "cards")
_WORDS = (
    *("river", "lamp", "candle", "stone", "garden", "mirror", "pepper", "violin", "anchor"),
    *("basket", "copper", "drum", "engine", "feather", "hammer", "island", "jacket", "kettle"),
)
_UNITS = (
    ("kilometres", "metres", 1000),
    ("hours", "minutes", 60),
    ("kilograms", "grams", 1000),
    ("metres", "centimetres", 100),
    ("minutes", "seconds", 60),
    ("weeks", "days", 7),
)


class Example(NamedTuple):
    """One worked example."""

    question: str
    answer: str
    rationale: str


def write_demo_data(path: Path, *, records: int = RECORDS, seed: int = SEED) -> None:
    """Write the data set as JSONL, whole or not at all."""
    rng = random.Random(seed)  # noqa: S311 - reproducible on purpose
    families = list(FAMILIES.items())
    lines = []
    for number in range(records):
        family, make = families[number % len(families)]
        record = {"id": f"{family}-{number:04d}", "family": family, **make(rng)._asdict()}
        lines.append(json.dumps(record, ensure_ascii=False))
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(".partial")
    partial.write_text("\n".join(lines) + "\n", encoding="utf-8")
    partial.replace(path)


def _shopping(rng: random.Random) -> Example:
    name, goods = rng.choice(_NAMES), rng.choice(_GOODS)
    packs, each, given = rng.randint(2, 9), rng.randint(3, 12), rng.randint(1, 5)
    total = packs * each
    return Example(
        f"{name} buys {packs} packs of {goods} with {each} {goods} in each pack and gives "
        f"{given} {goods} away. How many {goods} does {name} have left?",
        str(total - given),
        f"{packs} packs of {each} are {packs} × {each} = {total} {goods}. After giving {given} "
        f"away, {total} − {given} = {total - given} are left.",
    )


def _clock(rng: random.Random) -> Example:
    hour, minute = rng.randint(7, 19), rng.choice((0, 10, 15, 20, 30, 40, 45))
    length = rng.choice((25, 35, 45, 50, 70, 80, 95, 110))
    end = hour * 60 + minute + length
    finish = f"{end // 60}:{end % 60:02d}"
    return Example(
        f"A film starts at {hour}:{minute:02d} and lasts {length} minutes. At what time does it "
        "end, on a 24-hour clock?",
        finish,
        f"{length} minutes are {length // 60} hours and {length % 60} minutes. Counting on from "
        f"{hour}:{minute:02d}: {hour * 60 + minute} + {length} = {end} minutes after midnight, "
        f"which is {finish}.",
    )


def _sorting(rng: random.Random) -> Example:
    words = rng.sample(_WORDS, 4)
    ordered = ", ".join(sorted(words))
    return Example(
        f"Put these words in alphabetical order: {', '.join(words)}.",
        ordered,
        "Compare the first letters: "
        + ", ".join(f"{word} starts with {word[0]}" for word in sorted(words))
        + f". So the order is {ordered}.",
    )


def _conversion(rng: random.Random) -> Example:
    large, small, factor = rng.choice(_UNITS)
    whole, rest = rng.randint(2, 12), rng.randint(1, factor - 1)
    total = whole * factor + rest
    return Example(
        f"How many {small} are {whole} {large} and {rest} {small}?",
        f"{total} {small}",
        f"There are {factor} {small} in one of the {large}, so {whole} {large} are "
        f"{whole * factor} {small}. Adding {rest} gives {total} {small}.",
    )


def _rule(rng: random.Random) -> Example:
    first, step = rng.randint(2, 20), rng.randint(2, 9)
    shown = [first + step * index for index in range(4)]
    following = shown[-1] + step
    return Example(
        f"What number comes next: {', '.join(map(str, shown))}?",
        str(following),
        f"Each number is {step} more than the one before it, and {shown[-1]} + {step} = "
        f"{following}.",
    )


FAMILIES: dict[str, Callable[[random.Random], Example]] = {
    "shopping": _shopping,
    "clock": _clock,
    "sorting": _sorting,
    "conversion": _conversion,
    "sequence": _rule,
}
