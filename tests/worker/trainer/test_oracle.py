"""The command that compares our functions with vector files."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from worker.trainer.oracle import INPUTS, main

FILES = sorted((Path(__file__).parents[2] / "oracle").glob("objective_*.npz"))


def test_our_vectors_are_those_of_the_method(shared_data):
    shared = shared_data.parent / "oracle"
    for file in FILES:
        assert file.read_bytes() == (shared / file.name).read_bytes()


def test_every_key_is_met_in_both_formats(capsys):
    assert main([str(file) for file in FILES]) == 0
    results = json.loads(capsys.readouterr().out)
    assert set(results) == {str(file) for file in FILES}
    for file, keys in results.items():
        with np.load(file) as arrays:
            assert set(keys) == set(arrays) - INPUTS
        for errors in keys.values():
            assert errors["float32"] <= 1e-5
            assert errors["float64"] <= 1e-10


@pytest.fixture
def arrays():
    with np.load(FILES[0]) as file:
        return {name: np.array(file[name]) for name in file}


def check(tmp_path, arrays, capsys):
    file = tmp_path / "vectors.npz"
    np.savez(file, **arrays)
    status = main([str(file)])
    return status, json.loads(capsys.readouterr().out)[str(file)]


@pytest.mark.parametrize(
    "key",
    [
        "divergence_alpha_0.25",
        "grad_hidden_alpha_1.0",
        "clip_static",
        "agree_token_range_gamma_0.5_weight",
        "agree_sequence_var_disagreement",
        "loss_unisd_star",
        "retention_jsd_mean",
    ],
)
def test_a_tampered_expectation_shows_as_an_error(tmp_path, arrays, capsys, key):
    arrays[key] = arrays[key] * 1.001
    status, errors = check(tmp_path, arrays, capsys)
    assert status == 1
    assert errors[key]["float64"] == pytest.approx(0.001, rel=0.05)
    assert max(error["float64"] for name, error in errors.items() if name != key) < 1e-10


def test_a_single_tampered_token_a_nan_and_an_unknown_key(tmp_path, arrays, capsys):
    arrays["divergence_alpha_0.0"][0, 0] += 0.01
    arrays["student_entropy"][0, 0] = np.nan
    arrays["something_else"] = np.zeros(3)
    status, errors = check(tmp_path, arrays, capsys)
    assert status == 1
    assert 1e-5 < errors["divergence_alpha_0.0"]["float64"] < 1
    assert errors["student_entropy"]["float64"] == float("inf")
    assert errors["something_else"]["float64"] == float("inf")


def test_other_settings_of_the_same_kind(tmp_path, arrays, capsys):
    """Masked positions, other quantiles and other strengths are read from the names."""
    arrays["clip_quantile_0.5_ceiling"] = np.median(arrays["divergence_alpha_0.0"][arrays["mask"]])
    arrays["student_logps"][~arrays["mask"]] = 123.0
    status, errors = check(tmp_path, arrays, capsys)
    assert status == 0
    assert errors["clip_quantile_0.5_ceiling"]["float64"] < 1e-10


def test_usage(capsys):
    assert main([]) == 2
    assert "usage" in capsys.readouterr().err
