"""Installs MLflow and Trackio beside each other and has them measured where they are at home."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import venv
from pathlib import Path
from typing import Any, NamedTuple

_HERE = Path(__file__).parent
_INSTALL_SECONDS, _MEASURE_SECONDS = 400, 600


class _Size(NamedTuple):
    """How much is written: points of the long metric, rows of 32 values, runs of the list."""

    points: int
    rows: int
    runs: int


_SIZES = {"trackio": _Size(1_000_000, 10_000, 1000), "mlflow": _Size(100_000, 500, 1000)}
_QUICK = {"trackio": _Size(50_000, 2000, 150), "mlflow": _Size(5000, 100, 150)}


def measure(name: str, environments: Path, folder: Path, *, quick: bool) -> dict[str, Any]:
    """Its figures, or why there are none."""
    size = (_QUICK if quick else _SIZES)[name]
    place = folder / f"{name}-data"
    place.mkdir()
    try:
        python = _installed(name, environments / name)
        command = [str(python), str(_HERE / f"other_{name}.py"), str(place), *map(str, size)]
        answer = subprocess.run(
            command,
            capture_output=True,
            check=True,
            timeout=_MEASURE_SECONDS,
            env=_environment(folder),
            cwd=folder,
        )
    except subprocess.CalledProcessError as error:
        return {"not_measured": error.stderr.decode(errors="replace").strip()[-600:]}
    except subprocess.TimeoutExpired as error:
        return {"not_measured": f"took longer than {error.timeout:g} s"}
    found: dict[str, Any] = json.loads(answer.stdout.splitlines()[-1])
    return found


def _installed(name: str, environment: Path) -> Path:
    python = environment / "bin" / "python"
    if not python.exists():
        venv.create(environment, with_pip=True)
    subprocess.run(
        [python, "-m", "pip", "install", "--quiet", "--upgrade", name],
        capture_output=True,
        check=True,
        timeout=_INSTALL_SECONDS,
    )
    return python


def _environment(folder: Path) -> dict[str, str]:
    """Nothing of this project's settings, and a home folder of its own."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("UNISD_", "PYTHONPATH"))
    }
    return kept | {"HOME": str(folder), "HF_HUB_OFFLINE": "1"}


if __name__ == "__main__":
    print(f"part of server.py; run that instead of {sys.argv[0]}")
