"""The examples of `docs/cli.md` and `docs/client.md`, as they stand there, on a whole studio."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.e2e.unisd import unisd_on_path

BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def blocks(page: str, language: str) -> list[str]:
    text = (ROOT / "docs" / page).read_text()
    return [found.group(2) for found in BLOCK.finditer(text) if found.group(1) == language]


@pytest.fixture
def studio_of_the_docs(studio, tiny_model, tmp_path, monkeypatch):
    """A studio that takes a tiny model for the one that the docs name."""
    models = studio.home / "models"
    models.mkdir(exist_ok=True)
    (models / "SmolLM2-135M-Instruct").symlink_to(tiny_model)
    for name in ("UNISD_HOME", "UNISD_DATABASE_URL", "UNISD_REDIS_URL", "UNISD_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("UNISD_API_URL", studio.url)
    folder = tmp_path / "work"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return studio


@pytest.mark.full
def test_the_examples_are_true(studio_of_the_docs, tmp_path: Path) -> None:
    _run_shell(tmp_path, blocks("cli.md", "sh"))
    _run_python(blocks("client.md", "python"))


def _run_shell(tmp_path: Path, parts: list[str]) -> None:
    assert len(parts) >= 8
    with unisd_on_path(tmp_path / "bin") as folder:
        script = "set -euo pipefail\n" + "\n".join(parts)
        ended = subprocess.run(
            ["bash", "-x", "-c", script],
            env={**os.environ, "PATH": f"{folder}:{os.environ['PATH']}", "COLUMNS": "120"},
            capture_output=True,
            text=True,
            timeout=200,
        )
    assert ended.returncode == 0, f"{ended.stdout[-3000:]}\n{ended.stderr[-6000:]}"
    assert "step 12/12" in ended.stdout
    assert "Traceback" not in ended.stderr
    (first, *rest) = Path("first.csv").read_text().splitlines()
    assert first == "step,time,train/loss,train/grad_norm"
    assert [line.split(",")[0] for line in rest] == [str(step) for step in range(1, 13)]


def _run_python(parts: list[str]) -> None:
    assert len(parts) >= 7
    names: dict[str, object] = {}
    for part in parts:
        exec(compile(part, "docs/client.md", "exec"), names)
