from __future__ import annotations

import os
from pathlib import Path

# No test asks the hub. Test processes share few cores: threads that spin would slow all of them.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
os.environ["HF_HUB_OFFLINE"] = "1"

import pytest
import torch

from tests.worker.trainer.tiny import make_records, make_tiny_model

torch.set_num_threads(1)


@pytest.fixture(scope="session")
def tiny_model(tmp_path_factory) -> Path:
    return make_tiny_model(tmp_path_factory.mktemp("model"))


@pytest.fixture(scope="session")
def records(tmp_path_factory) -> Path:
    return make_records(tmp_path_factory.mktemp("data") / "records.jsonl")
