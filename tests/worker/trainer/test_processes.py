"""Two processes on the CPU train as one does on the same global batch."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
import yaml

from tests.worker.trainer.test_training import losses, of_kind, train
from tests.worker.trainer.tiny import tiny_config
from worker.trainer.processes import Processes


def launch(folder, config, processes: int):
    """As `accelerate launch --num_processes N -m worker.trainer` does."""
    folder.mkdir()
    file, out = folder / "given.yaml", folder / "out"
    file.write_text(yaml.safe_dump(config))
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone"]
    command += ["--nproc-per-node", str(processes), "-m", "worker.trainer", str(file)]
    environment = {
        **os.environ,
        "OMP_NUM_THREADS": "1",
        "HF_HUB_OFFLINE": "1",
        "ACCELERATE_USE_CPU": "true",
    }
    done = subprocess.run(
        [*command, "--out", str(out)], env=environment, capture_output=True, text=True, timeout=200
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return out


def test_two_processes_give_the_losses_of_one(tmp_path, tiny_model, records):
    parts = {
        "teacher": {"weights": "ema", "ema": {"every_steps": 2}},
        "objective": {
            "agreement": True,
            "feature_matching": True,
            "clipping": {"quantile": 0.9},
        },
    }
    one = tiny_config(tiny_model, records, **parts)
    one["training"] |= {"max_steps": 5, "batch_size": 2, "gradient_accumulation_steps": 4}
    two = tiny_config(tiny_model, records, **parts)
    two["training"] |= {"max_steps": 5, "batch_size": 2, "gradient_accumulation_steps": 2}
    for config in (one, two):
        config["model"]["lora"]["dropout"] = 0.0
    alone = train(tmp_path / "one", one)
    together = launch(tmp_path / "two", two, 2)
    assert losses(together) == pytest.approx(losses(alone), rel=1e-5)
    ours, theirs = (of_kind(out, "metrics")[-1].values for out in (together, alone))
    for name in theirs:
        if name.startswith("train/"):
            assert ours[name] == pytest.approx(theirs[name], rel=1e-3, abs=1e-6), name
    assert (together / "adapter").is_dir()
    assert of_kind(together, "finished")[0].outcome == "succeeded"


def test_alone_every_exchange_is_free():
    import torch

    alone = Processes()
    values = torch.arange(3.0)
    assert alone.gather(values) is values
    assert alone.add([1.5], values.device) == [1.5]
    assert alone.any(True, values.device)
    alone.add_gradients([])
    alone.wait()
    alone.leave()
