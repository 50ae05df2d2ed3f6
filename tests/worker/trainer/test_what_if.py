"""What the page computes from a record without training is what training would have computed."""

from __future__ import annotations

import json
import subprocess

import pyarrow.parquet as pq
import pytest
import torch

from app.trajectories.reading import loss_settings, token_values
from core.config import RunConfig
from core.presets import PRESETS, merge
from tests.conftest import ROOT
from tests.worker.trainer.test_recorded_values import choices  # noqa: F401 - a fixture
from tests.worker.trainer.test_training import train
from tests.worker.trainer.tiny import tiny_config
from worker.trainer import mechanisms

PAGE = ROOT / "frontend"
RUNNER = """
import { readFileSync } from "node:fs";
import { recompute } from "%(folder)s/whatif";
import { read, recordOf, settingsOf, written } from "%(folder)s/whatifSettings";

const answers = JSON.parse(readFileSync(0, "utf8")).map(({ item, own, config, text }) => {
  const before = settingsOf(own);
  const after = config ? settingsOf(config) : read(text, before);
  const spelled = written(after, before);
  return { ...recompute(recordOf(item), after, before), spelled, again: read(spelled, before) };
});
console.log(JSON.stringify(answers));
"""
# The second and third differ from the first in what is computed after the rollouts alone.
RUNS = {
    "first": {"clipping": {"enabled": True, "quantile": 0.7}},
    "second": {
        "agreement": {"gamma": 3.7, "statistic": "range"},
        "clipping": {"enabled": True, "ceiling": 0.4},
        "contrastive": {"margin": 1.3, "weight": 0.7},
        "feature_matching": {"weight": 0.03},
        "normalize_by": "weights",
    },
    "third": {
        "agreement": {"level": "sequence", "gamma": 2.0},
        "clipping": {"enabled": True, "quantile": 0.5},
    },
}
OTHERS = {"match_representation": {}, "sft": {}, "gkd": {"mask_truncated": True}}
# As the page writes them into its address.
TRIED = (
    "agreement_token_variance_0",
    "agreement_token_range_2.5 clip_c_0.05",
    "agreement_sequence_range_0.3 clip_off by_weights",
    "agreement_token_variance_40 clip_q_0.33 contrastive_2_0.5 feature_0.7",
    "agreement_off contrastive_off feature_off",
)


@pytest.fixture(scope="module")
def runs(tmp_path_factory, tiny_model, choices):  # noqa: F811 - the fixture
    """The rollouts of a first step, as the page gets them, by run; and what each was made with."""
    made = {}
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("UNISD_CACHE_DIR", str(tmp_path_factory.mktemp("cache")))
        for name, objective in (RUNS | OTHERS).items():
            base = tiny_config(
                tiny_model,
                choices,
                training={"max_steps": 1},
                generation={"max_completion_length": 6, "max_prompt_length": 900},
                recording={"trajectories_per_step": 4, "pinned_examples": 1},
                objective=objective,
            )
            preset = name if name in OTHERS else "unisd_star"
            config = merge(PRESETS[preset].settings, base)
            out = train(tmp_path_factory.mktemp("run"), {"preset": preset, **config})
            rows = pq.read_table(out / "trajectories" / "step-000001.parquet").to_pylist()
            made[name] = RunConfig.model_validate(config).model_dump(mode="json"), rows
    return made


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    """The page's own functions, run by node on many records."""
    folder = tmp_path_factory.mktemp("page")
    (folder / "entry.ts").write_text(RUNNER % {"folder": PAGE / "src" / "trajectories"})
    node = [ROOT / "scripts" / "with-node", "node"]
    bundle = [*node, PAGE / "node_modules/rolldown/bin/cli.mjs", folder / "entry.ts"]
    options = ["-o", folder / "out.mjs", "--platform", "node"]
    subprocess.run([*bundle, *options], check=True, capture_output=True, cwd=PAGE)

    def ask(cases):
        given = json.dumps(cases)
        command = [*node, folder / "out.mjs"]
        answer = subprocess.run(command, input=given, capture_output=True, text=True, check=False)
        assert answer.returncode == 0, answer.stderr
        return json.loads(answer.stdout)

    return ask


def item(row):
    """The part of the API's answer that what-if reads."""
    settings = loss_settings(row)
    return {
        "truncated": row["truncated"],
        "settings": settings and settings.model_dump(mode="json"),
        "token_values": token_values(row),
    }


def close(found, expected, tolerance):
    return found == pytest.approx(expected, rel=tolerance, abs=tolerance * 1e-3)


def recorded_shares(row):
    """Shares of this trajectory's own loss, from the recorded ones of its step's."""
    columns = {
        "divergence": "contribution_divergence",
        "contrastive": "contribution_contrastive",
        "feature_matching": "contribution_feature",
        "cross_entropy": "contribution_cross_entropy",
    }
    return {
        term: [value * row["batch_sequences"] for value in row[column]]
        for term, column in columns.items()
        if row[column] is not None
    }


def check_recorded(found, row):
    """Against what the trainer wrote in float32."""
    shares = recorded_shares(row)
    assert found["shares"].keys() == shares.keys()
    for term, values in shares.items():
        assert close(found["shares"][term], values, 1e-4), term
    for name, column in (("weight", "weight"), ("clipped", "divergence_clipped")):
        if row[column] is not None:
            assert close(found[name], row[column], 1e-4), name


@pytest.mark.parametrize("name", [*RUNS, *OTHERS])
def test_the_runs_own_settings_give_what_was_recorded(runs, page, name):
    own, rows = runs[name]
    rows = [row for row in rows if not row["pinned"]]
    answers = page([{"item": item(row), "own": own, "text": ""} for row in rows])
    for found, row in zip(answers, rows, strict=True):
        check_recorded(found, row)
    total = sum(sum(map(sum, found["shares"].values())) for found in answers) / len(rows)
    assert total == pytest.approx(rows[0]["batch_loss"], rel=1e-5)


@pytest.mark.parametrize("other", ["second", "third"])
def test_another_runs_settings_give_what_that_run_recorded(runs, page, other):
    """Both sampled the same in their first step: only what is computed from it differs."""
    own, rows = runs["first"]
    config, expected = runs[other]
    cases = [{"item": item(row), "own": own, "config": config} for row in rows]
    assert any(row["negative_logprob"] for row in rows)
    for found, row, there in zip(page(cases), rows, expected, strict=True):
        assert row["token_ids"] == there["token_ids"]
        if not row["pinned"]:
            check_recorded(found, there)


def expected_ceiling(row, clip):
    if "ceiling" in clip:
        return clip["ceiling"]
    if clip["quantile"] == row["clip_quantile"] and row["clip_ceiling"] is not None:
        return row["clip_ceiling"]
    grid = torch.tensor(row["divergence_quantiles"], dtype=torch.float64)
    return float(mechanisms.quantile(grid, clip["quantile"]))


def expected_by_the_trainer(row, after):
    """The trainer's own functions, in float64, on the values of one record."""
    values = {
        name: None if row[name] is None else torch.tensor(row[name], dtype=torch.float64)
        for name in (
            "student_logprob",
            "teacher_logprob",
            "negative_logprob",
            "divergence",
            "feature_distance",
        )
    }
    divergence_1T = values["divergence"][None]
    mask_1T = torch.full(divergence_1T.shape, fill_value=bool(row["counted"]))
    agreed = None
    if after["agreement"]:
        views_K1T = torch.tensor(row["auxiliary_logprobs"], dtype=torch.float64)[:, None]
        level, statistic, gamma = (after["agreement"][k] for k in ("level", "statistic", "gamma"))
        if level == "sequence":
            agreed = mechanisms.sequence_agreement(views_K1T, mask_1T, statistic, gamma)
        else:
            spread_1T = mechanisms.spread(views_K1T, statistic, unbiased=True)
            scale = torch.tensor(row[f"agreement_scale_{statistic}"], dtype=torch.float64)
            agreed = mechanisms.token_agreement(spread_1T, mask_1T, scale, gamma)
    clip = after["clip"]
    if clip:
        divergence_1T = mechanisms.clip(divergence_1T, expected_ceiling(row, clip))
    shares = {
        "divergence": mechanisms.token_contributions(
            divergence_1T, mask_1T, None if agreed is None else agreed.weight, after["divisor"]
        )
    }
    if after["contrastive"]:
        contrastive_T = torch.zeros(len(row["token_ids"]), dtype=torch.float64)
        if row["negative_logprob"] is not None:
            three = (values[f"{view}_logprob"] for view in ("student", "teacher", "negative"))
            contrastive_T = mechanisms.contrastive(*three, after["contrastive"]["margin"])
        share_1T = mechanisms.token_contributions(contrastive_T[None], mask_1T)
        shares["contrastive"] = after["contrastive"]["weight"] * share_1T
    if after["feature"] is not None:
        share_1T = mechanisms.token_contributions(values["feature_distance"][None], mask_1T)
        shares["feature_matching"] = after["feature"] * share_1T
    return agreed, divergence_1T[0], {name: share[0].tolist() for name, share in shares.items()}


@pytest.mark.parametrize("name", list(RUNS))
def test_any_settings_give_what_the_trainers_functions_give(runs, page, name):
    own, rows = runs[name]
    cases = [(row, text) for row in rows for text in TRIED]
    answers = page([{"item": item(row), "own": own, "text": text} for row, text in cases])
    for found, (row, text) in zip(answers, cases, strict=True):
        after = found["again"]  # what the page reads from the address it wrote
        if name == "first":
            assert found["spelled"] == text
        agreed, clipped, shares = expected_by_the_trainer(row, after)
        assert found["shares"].keys() == shares.keys()
        for term, values in shares.items():
            assert found["shares"][term] == pytest.approx(values, rel=1e-6, abs=1e-15), text
        assert (found["clipped"] is None) == (after["clip"] is None)
        if after["clip"]:
            assert found["clipped"] == pytest.approx(clipped.tolist(), rel=1e-6)
        if agreed is not None:
            count = len(row["token_ids"])
            for key in ("weight", "disagreement"):
                expected = getattr(agreed, key)[0].expand(count).tolist()
                assert found[key] == pytest.approx(expected, rel=1e-6, abs=1e-15), text
