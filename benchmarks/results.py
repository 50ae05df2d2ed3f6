"""The table of docs/results.md out of a study's folder: `python benchmarks/results.py STUDY`.

For every cell of `unisd study benchmarks/study.yaml --out STUDY` that has ended: accuracy and
extraction, the gain with its BCa bootstrap interval, mean JSD to the base, and on how many examples
the model stayed nearer to the base than `sft` of the same task and seed did.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

sys.path.insert(0, str(Path(__file__).parents[1]))

from app.evaluations.comparison import compare
from app.evaluations.files import read_examples
from app.evaluations.schemas import Example
from app.statistics import Interval

BASELINE = "sft"


class Cell(NamedTuple):
    """A run's first and last evaluation."""

    method: str
    task: str
    seed: str
    before: Sequence[Example]
    after: Sequence[Example]
    seconds: float


def cells(study: Path) -> list[Cell]:
    """All runs of the study that have ended."""
    found = []
    for folder in sorted(study.glob("method=*,task=*,seed=*")):
        method, task, seed = (part.partition("=")[2] for part in folder.name.split(","))
        sets = sorted((folder / "run" / "evaluations").glob(f"step-*/{task}"))
        ended = [one for one in sets if (one / "summary.json").is_file()]
        if len(ended) >= 2 and (folder / "run" / "adapter").is_dir():
            before, after = read_examples(ended[0]), read_examples(ended[-1])
            found.append(Cell(method, task, seed, before, after, _seconds(folder / "run")))
    return found


def _seconds(run: Path) -> float:
    """Wall-clock seconds of all optimizer steps."""
    total = 0.0
    for line in (run / "events.jsonl").read_text(encoding="utf-8").splitlines():
        event = json.loads(line)
        if event["kind"] == "metrics":
            total += event["values"].get("time/step") or 0.0
    return total


def row(cell: Cell, baseline: Cell | None) -> list[str]:
    """A line of the table."""
    gain = compare([cell.before], [cell.after])
    jsd = [
        one.retention.forward.jsd for one in cell.after if one.retention and one.retention.forward
    ]
    line = [
        f"`{cell.method}`",
        rate(gain.second.accuracy, interval=False),
        signed(gain.accuracy),
        rate(gain.second.extracted, interval=False),
        f"{sum(jsd) / len(jsd):.3f}" if jsd else "–",
    ]
    if baseline is None or cell.method == BASELINE:
        return [*line, "", "", f"{cell.seconds:.0f}"]
    kept = compare([baseline.after], [cell.after]).retention["forward"]
    return [*line, rate(kept.lower_jsd), rate(kept.higher_base_logprob), f"{cell.seconds:.0f}"]


def rate(found: Interval, *, interval: bool = True) -> str:
    """A share in percent, with its interval."""
    if found.estimate is None or found.low is None or found.high is None:
        return "–"
    shown = f"{found.estimate:.1%}".replace("%", " %")
    return f"{shown} [{found.low * 100:.0f}, {found.high * 100:.0f}]" if interval else shown


def signed(found: Interval) -> str:
    """A difference in points, with its interval."""
    if found.estimate is None:
        return "–"
    shown = f"{found.estimate * 100:+.1f}"
    if found.low is None or found.high is None:
        return shown
    return f"{shown} [{found.low * 100:+.1f}, {found.high * 100:+.1f}]"


def main() -> None:
    """Print a table for each task and seed."""
    parser = argparse.ArgumentParser()
    parser.add_argument("study", type=Path)
    everything = cells(parser.parse_args().study)
    for task, seed in sorted({(cell.task, cell.seed) for cell in everything}):
        here = [cell for cell in everything if (cell.task, cell.seed) == (task, seed)]
        baseline = next((cell for cell in here if cell.method == BASELINE), None)
        base = compare([here[0].before], [here[0].before]).first
        print(f"\n**{task}**, seed {seed}, {len(here[0].before)} questions.")
        print(f"Base: {rate(base.accuracy)} right, {rate(base.extracted)} extracted.\n")
        print("| method | right | gain, points | extracted | JSD | lower JSD | higher log p | s |")
        print("|---|---|---|---|---|---|---|---|")
        for cell in sorted(here, key=lambda cell: cell.method):
            print(f"| {' | '.join(row(cell, baseline))} |")


if __name__ == "__main__":
    main()
