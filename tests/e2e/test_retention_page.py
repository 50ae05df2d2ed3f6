"""What a model has kept of its base: a real evaluation, in a real Chromium."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from peft import PeftModel
from playwright.sync_api import Page, expect
from transformers import AutoModelForCausalLM, AutoTokenizer
from typer.testing import CliRunner

from app.db import Database
from app.settings import Settings
from cli.main import app as unisd
from tests.e2e.axe import violations
from tests.e2e.retained import QUESTIONS, STEPS, show, train
from tests.live import serving

_FINAL = f"evaluations/step-{STEPS:08d}/gsm8k"
_BASE = "evaluations/step-00000000/gsm8k"


@pytest.fixture(scope="module")
def attempt(tmp_path_factory: pytest.TempPathFactory, tiny_model: Path) -> Path:
    return train(tmp_path_factory.mktemp("retained"), tiny_model)


@pytest.fixture
def run(database: Database, attempt: Path) -> str:
    return show(database, attempt)


@pytest.fixture
def url(settings: Settings, run: str) -> Iterator[str]:
    with serving(settings) as port:
        yield f"http://127.0.0.1:{port}/runs/{run}?tab=retention"


def _rows(file: Path) -> dict[int, dict[str, Any]]:
    lines = file.read_text().splitlines()[1:]
    return {row["index"]: row for row in map(json.loads, lines)}


@torch.no_grad()
def _independent(attempt: Path, model: Path) -> dict[str, list[float]]:
    """Means per example by plain transformers: of the model's answers and of the base's."""
    base = AutoModelForCausalLM.from_pretrained(model, dtype=torch.float32)
    tuned = PeftModel.from_pretrained(
        AutoModelForCausalLM.from_pretrained(model, dtype=torch.float32), str(attempt / "adapter")
    )
    tokenizer = AutoTokenizer.from_pretrained(model)
    sides = {"forward": _rows(attempt / _FINAL / "answers.jsonl")}
    sides["reverse"] = _rows(attempt / _BASE / "answers.jsonl")
    found: dict[str, list[float]] = {}
    for direction, rows in sides.items():
        for row in rows.values():
            ids, prompt = row["ids"], tokenizer(row["prompt"], add_special_tokens=False).input_ids
            if not row["answer"]:
                continue
            whole = torch.tensor([prompt + ids])
            p, q = (
                torch.log_softmax(one(whole).logits[0, len(prompt) - 1 : -1].double(), -1)
                for one in (base, tuned)
            )
            middle = torch.log((p.exp() + q.exp()) / 2)
            jsd = ((p.exp() * (p - middle)).sum(-1) + (q.exp() * (q - middle)).sum(-1)) / 2
            told = torch.tensor(ids)[:, None]
            found.setdefault(f"{direction} jsd", []).append(float(jsd.mean()))
            for name, logs in (("base", p), ("tuned", q)):
                value = float(logs.gather(1, told).mean())
                found.setdefault(f"{direction} {name}", []).append(value)
    return found


@pytest.mark.filterwarnings("ignore:`is_gradient_checkpointing`:FutureWarning")  # peft asks for it
def test_the_page_the_command_line_and_a_naive_computation_say_the_same(
    page: Page, url: str, attempt: Path, tiny_model: Path
) -> None:
    expected = _independent(attempt, tiny_model)
    folder = str(attempt / _FINAL)
    told = CliRunner().invoke(unisd, ["evaluation", "retention", folder, "--json"])
    assert told.exit_code == 0, told.output
    found = json.loads(told.stdout)
    page.goto(url)
    table = page.get_by_role("table", name="Distribution over")
    for direction, label in (("forward", "Model's answers"), ("reverse", "Base's answers")):
        page.get_by_role("button", name=label).click()
        expect(page.get_by_role("table", name=re.compile(label, re.IGNORECASE))).to_be_visible()
        for name, title, key in (
            ("jsd", "JSD to base", "jsd"),
            ("base", "Log p under the base", "base_logprob"),
            ("tuned", "Log p under the model", "tuned_logprob"),
        ):
            values = expected[f"{direction} {name}"]
            wanted = {
                "mean": np.mean(values),
                "sd": np.std(values, ddof=1),
                **{f"p{share}": np.percentile(values, share) for share in (10, 25, 75, 90)},
                "median": np.median(values),
            }
            figures = found["directions"][direction][key]
            assert figures == pytest.approx({"n": len(values), **wanted}, abs=1e-5)
            cells = table.get_by_role("row", name=title).get_by_role("cell").all_inner_texts()
            shown = [float(cell.replace("−", "-")) for cell in cells[:7]]
            order = ("mean", "sd", "p10", "p25", "median", "p75", "p90")
            assert shown == pytest.approx([figures[one] for one in order], rel=2e-3)

    answers = [row["correct"] for row in _rows(attempt / _FINAL / "answers.jsonl").values()]
    bases = [row["correct"] for row in _rows(attempt / _BASE / "answers.jsonl").values()]
    pairs = list(zip(bases, answers, strict=True))
    assert found["quadrants"]["regressed"] == pairs.count((True, False)) > 0
    assert found["quadrants"]["improved"] == pairs.count((False, True)) > 0
    gain = page.get_by_text("Gain, points").locator("xpath=following-sibling::dd[1]")
    points = (sum(answers) - sum(bases)) / len(pairs) * 100
    expect(gain).to_contain_text(f"{points:+.1f}".replace("-", "−"))

    # What stood before the first step is the base itself, and nothing is lost.
    page.get_by_role("table", name="Evaluated weights").get_by_role("button", name="base").click()
    row = page.get_by_role("table", name="Distribution over").get_by_role("row", name="JSD to base")
    expect(row.get_by_role("cell").first).to_have_text("0")
    assert set(row.get_by_role("cell").all_inner_texts()[:7]) == {"0"}


def test_from_what_regressed_to_its_worst_token_by_keyboard(page: Page, url: str, run: str) -> None:
    page.goto(url)
    states = page.get_by_role("table", name="Evaluated weights").get_by_role("row")
    expect(states).to_have_count(4)  # a head; steps 0, 2 and 4
    page.get_by_role("button", name=re.compile("^step 2:")).click()  # on the curve
    expect(page.get_by_role("heading", name="gsm8k · step 2")).to_be_visible()
    page.get_by_role("button", name="step 4", exact=True).press("Enter")
    expect(page.get_by_role("heading", name="gsm8k · step 4")).to_be_visible()

    rows = page.get_by_test_id("retention-row")
    expect(rows).to_have_count(QUESTIONS)
    expect(rows.first).to_contain_text("Right → wrong")  # regressed first
    regressed = page.get_by_role("button", name="Right → wrong").first
    count = int(regressed.inner_text().split("wrong")[1].split()[0])
    regressed.press("Enter")
    expect(rows).to_have_count(count)
    assert "quadrant=regressed" in page.url
    page.get_by_role("button", name="JSD", exact=True).press("Enter")
    assert "rank=-jsd" in page.url
    scatter = page.get_by_test_id("retention-scatter")
    scatter.focus()
    page.keyboard.press("End")
    expect(page.get_by_text(re.compile("^Example .* · JSD"))).to_be_visible()
    bar = page.get_by_role("toolbar").get_by_role("button").last
    bar.focus()
    page.keyboard.press("Home")
    page.keyboard.press("Enter")
    assert "bin=" in page.url
    page.get_by_role("button", name=re.compile("^JSD to base .* to ")).press("Enter")
    expect(rows).to_have_count(count)
    assert not violations(page)

    rows.first.get_by_role("button").press("Enter")
    expect(page.get_by_role("region", name="The base's answer")).to_contain_text("right")
    expect(page.get_by_role("region", name="The model's answer")).to_contain_text("wrong")
    page.keyboard.press("d")
    card = page.get_by_test_id("retention-token")
    expect(card).to_contain_text("rank 1 by JSD")
    expect(card.get_by_role("row", name="Base")).to_contain_text("−")
    expect(card.get_by_role("row", name="Model")).to_contain_text("−")
    page.keyboard.press("s")
    expect(card).to_contain_text("the base's answer, token 1")
    page.keyboard.press("ArrowRight")
    expect(card).to_contain_text("the base's answer, token 2")
    page.get_by_label("Tokens coloured by").select_option("gap")
    assert not violations(page)
    address = page.url
    page.keyboard.press("j")
    expect(card.or_(page.get_by_role("complementary", name="Token"))).to_be_visible()
    assert page.url != address
    page.goto(address)
    expect(card).to_contain_text("the base's answer, token 2")
    page.keyboard.press("Escape")
    expect(rows).to_have_count(count)


def test_a_run_against_itself_is_a_flat_zero_and_further_checkpoints_are_asked(
    page: Page, url: str
) -> None:
    page.goto(url)
    page.get_by_role("button", name="Compare with…").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("button", name=re.compile("^step 4")).click()
    table = page.get_by_role("table", name="Paired differences")
    forward = table.get_by_role("row", name=re.compile("^Model's answers")).get_by_role("cell")
    expect(forward).to_have_text(["0 %", "0", "0 %", "0", "0"])
    right = table.get_by_role("row", name=re.compile("^Right answers"))
    expect(right).to_contain_text("McNemar p 1.000")
    expect(right).to_contain_text("this 0, the other 0")
    assert "against=" in page.url

    page.get_by_role("button", name="Compare with another…").click()
    dialog.get_by_role("button", name=re.compile("^base")).click()
    expect(forward.first).to_have_text("0 %")  # the base is the nearest to itself
    expect(forward.nth(1)).to_contain_text("+")

    page.get_by_role("button", name="Evaluate checkpoints…").click()
    expect(dialog.get_by_label("Questions")).to_have_value("gsm8k")
    dialog.get_by_role("checkbox", name=re.compile("^Step 2")).press("Space")
    expect(dialog).to_contain_text("1 evaluation will be queued")
    assert not violations(page)
    dialog.get_by_role("button", name="Evaluate", exact=True).click()
    waiting = page.get_by_role("list", name="Evaluations under way").get_by_role("listitem")
    expect(waiting).to_contain_text("step 2 on gsm8k")
