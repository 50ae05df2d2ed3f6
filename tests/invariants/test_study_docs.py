"""The plan in the documentation is one."""

from __future__ import annotations

import re
from pathlib import Path

from cli.study_folder import load_plan
from core.study import cells

ROOT = Path(__file__).parents[2]


def test_the_documented_plan_gives_the_cells_that_it_says(tmp_path):
    (plan,) = re.findall(r"```yaml\n(.*?)```", (ROOT / "docs/studies.md").read_text(), re.DOTALL)
    file = tmp_path / "plan.yaml"
    file.write_text(plan)
    read = load_plan(file)
    found = cells(read)
    assert len(found) == (2**3 - 1) * 3
    assert read.baselines == {"ema": "off", "contrastive": "off", "clip": "off"}
    every = {name: level == "on" for name, level in found[-1].levels.items()}
    config = found[-1].config
    assert {
        "ema": config.teacher.weights == "ema",
        "contrastive": config.objective.contrastive.enabled,
        "clip": config.objective.clipping.enabled,
    } == every
