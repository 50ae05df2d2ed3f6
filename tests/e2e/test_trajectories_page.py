"""Recorded rollouts in a real Chromium by the keyboard alone, from the list to a token and back."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from app.migrate import upgrade
from tests.conftest import ROOT, SHARED
from tests.e2e.axe import violations
from tests.e2e.installation import Installation, installation
from tests.e2e.test_keyboard import tab_to

REAL = ROOT / ".unisd/models/HuggingFaceTB/SmolLM2-135M-Instruct"
GAMMA, MARGIN = 4.0, 1.5


def _choices(folder: Path) -> dict[str, Any]:
    """Records whose wrong options are negatives as they are."""
    file = folder / "choices.jsonl"
    rows = [
        {
            "id": f"c{n}",
            "question": f"What is {n} + 1?",
            "choices": [str(n), str(n + 1), str(n + 2)],
            "answer": str(n + 1),
        }
        for n in range(4)
    ]
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return {"path": str(file)}


@pytest.fixture(scope="module")
def studio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    home = tmp_path_factory.mktemp("home")
    url = f"sqlite:///{home / 'unisd.sqlite'}"
    upgrade(url)
    settings = {"UNISD_BENCHMARK_DIR": str(SHARED / "data"), "OMP_NUM_THREADS": "2"}
    with installation(home, url, settings) as running:
        yield running


@pytest.fixture(scope="module")
def run_id(studio: Installation, tiny_model: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    """UniSD*: of the real small model on CoS-E where both are here, else of a tiny random one."""
    real = REAL.is_dir() and (SHARED / "data/cos_e").is_dir()
    data = {"benchmark": "cos_e", "answer_first": True}
    config = {
        "preset": "unisd_star",
        "model": {"name": str(REAL if real else tiny_model), "lora": {"rank": 4}},
        "data": (data if real else _choices(tmp_path_factory.mktemp("data"))) | {"limit": 4},
        "objective": {
            "agreement": {"views": 3},
            "contrastive": {"negatives_per_record": 1},
            "clipping": {"enabled": True, "ceiling": 2.0},
        },
        "training": {"max_steps": 3, "batch_size": 2, "gradient_accumulation_steps": 1},
        "generation": {"max_completion_length": 16},
        "recording": {"every_steps": 1, "trajectories_per_step": 2, "pinned_examples": 1,
                      "pinned_every_steps": 1},
    }  # fmt: skip
    made = studio.create(config, name="star")
    studio.wait_until(lambda: studio.run(made)["status"] == "succeeded", "the run", 240)
    return made


def told(cell: Locator) -> float:
    """A number as the page writes it."""
    return float(cell.inner_text().replace("−", "-"))


def changed(page: Page, label: str) -> tuple[float, float]:
    """A row of the what-if's table: by the run's settings, and by the changed ones."""
    row = page.get_by_test_id("what-if").get_by_role("row").filter(has_text=label)
    cells = row.get_by_role("cell")
    return told(cells.nth(0)), told(cells.nth(1))


def by_the_formulas(item: dict[str, Any], gamma: float, margin: float) -> dict[str, float]:
    """Weights and terms of one rollout, as docs and paper have them."""
    tokens, settings = item["token_values"], item["settings"]

    def column(name: str) -> np.ndarray:
        return np.array([token[name] for token in tokens], dtype=float)

    s, t = column("student_logprob"), column("teacher_logprob")
    views = np.array([token["auxiliary_logprobs"] for token in tokens])
    ratio = np.minimum(views.var(1, ddof=1) / settings["agreement_scale"], 10)
    weight = np.maximum(1 / (1 + gamma * ratio), 0.01)
    contrastive = np.zeros(len(tokens))
    if tokens[0]["negative_logprob"] is not None:
        far = np.abs(s - column("negative_logprob"))
        contrastive = np.maximum(0, margin + np.abs(s - t) - far)
    terms = {
        "Divergence term": (weight * np.minimum(column("divergence"), 2.0)).mean(),
        "Contrastive term": 0.1 * contrastive.mean(),
        "Feature matching term": 0.1 * column("feature_distance").mean(),
    }
    return {"Mean weight": weight.mean(), **terms, "Loss": sum(terms.values())}


def type_into(page: Page, field: Locator, text: str) -> None:
    tab_to(page, field)
    page.keyboard.press("Control+a")
    page.keyboard.type(text)


def test_from_the_most_disagreed_rollout_to_a_link(
    browser: Browser, studio: Installation, run_id: str
) -> None:
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    page = context.new_page()
    where = f"/api/runs/{run_id}/trajectories"
    worst = studio.http.get(where, params={"sort": "-disagreement"}).json()["items"][0]
    item = studio.http.get(f"{where}/{worst['id']}").json()

    page.goto(f"{studio.url}/runs/{run_id}?tab=trajectories")
    head = page.get_by_role("columnheader", name="Disagreement")
    tab_to(page, head.get_by_role("button"))
    page.keyboard.press("Enter")
    expect(head).to_have_attribute("aria-sort", "descending")
    first = page.get_by_test_id("trajectory-row").first
    expect(first).to_contain_text(f"{worst['disagreement']:#.3g}")
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    expect(page.get_by_text(f"record {item['record_id']}")).to_be_visible()
    expect(page).to_have_url(re.compile(rf"trajectory={worst['id']}\b"))

    # To its worst token, which the card tells all of.
    disagreement = [token["disagreement"] for token in item["token_values"]]
    index = int(np.argmax(disagreement))
    token = item["token_values"][index]
    page.keyboard.press("a")
    card = page.get_by_test_id("token-card")
    expect(card).to_contain_text(f"token {index + 1} of {len(disagreement)}")
    chosen = page.get_by_role("option", selected=True).and_(page.locator("[data-i]"))
    expect(chosen).to_have_attribute("data-i", str(index))
    table = card.get_by_role("table", name=f"Token {index + 1} under each view, in nats")
    said = {"Student": token["student_logprob"], "Primary teacher": token["teacher_logprob"]}
    said |= {f"Auxiliary teacher {k + 1}": v for k, v in enumerate(token["auxiliary_logprobs"])}
    if token["negative_logprob"] is not None:
        said["Negative teacher"] = token["negative_logprob"]
    assert table.get_by_role("rowheader").all_inner_texts() == list(said)
    for view, logprob in said.items():
        row = table.get_by_role("row").filter(has_text=view)
        assert told(row.get_by_role("cell").first) == pytest.approx(logprob, rel=1e-3)
    page.keyboard.press("ArrowLeft" if index else "ArrowRight")
    expect(chosen).to_have_attribute("data-i", str(index - 1 if index else 1))
    page.keyboard.press("a" if index else "ArrowLeft")

    # Other settings: what the formulas say.
    assert changed_is_unknown(page)
    type_into(page, page.get_by_role("spinbutton", name="γ"), f"{GAMMA:g}")
    if token["negative_logprob"] is not None:
        type_into(page, page.get_by_role("spinbutton", name="margin"), f"{MARGIN:g}")
    before, after = by_the_formulas(item, 1.0, 0.5), by_the_formulas(item, GAMMA, MARGIN)
    for label, expected in after.items():
        assert changed(page, label) == pytest.approx((before[label], expected), rel=2e-3), label
    assert after["Mean weight"] < before["Mean weight"]
    if item["settings"]["batch_sequences"]:
        total = before["Loss"] / item["settings"]["batch_sequences"]
        assert worst["loss"] == pytest.approx(total, rel=1e-4)
    expect(page).to_have_url(re.compile("whatif="))
    tab_to(page, page.get_by_role("combobox", name="coloured by"))
    page.keyboard.type("Agreement weight")
    expect(page).to_have_url(re.compile("by=weight"))
    assert not violations(page)

    # The link opens the same view for somebody else.
    copy = page.get_by_role("button", name="Copy a link to this token")
    tab_to(page, copy)
    page.keyboard.press("Enter")
    link = page.evaluate("navigator.clipboard.readText()")
    shown = what_is_seen(page)
    other = browser.new_context(viewport={"width": 1440, "height": 900}).new_page()
    other.goto(link)
    expect(other.get_by_test_id("token-card")).to_contain_text(f"of {len(disagreement)}")
    expect(other.locator(f'[data-i="{shown[0]}"]')).to_be_in_viewport()
    assert what_is_seen(other) == shown
    other.context.close()
    context.close()


def changed_is_unknown(page: Page) -> bool:
    row = page.get_by_test_id("what-if").get_by_role("row").filter(has_text="Mean weight")
    return row.get_by_role("cell").nth(1).inner_text() == "–"


def what_is_seen(page: Page) -> list[str]:
    """Token, colours, card and figures."""
    chosen = page.locator('[data-i][aria-selected="true"]')
    return [
        str(chosen.get_attribute("data-i")),
        str(page.locator("[data-i]").evaluate_all("all => all.map((one) => one.style.cssText)")),
        page.get_by_role("combobox", name="coloured by").input_value(),
        page.get_by_test_id("token-card").inner_text(),
        page.get_by_test_id("what-if").get_by_role("table").inner_text(),
    ]


def test_the_same_example_over_steps_and_prompts_side_by_side(
    page: Page, studio: Installation, run_id: str
) -> None:
    where = f"/api/runs/{run_id}/trajectories"
    query = {"pinned": True, "sort": "step"}
    pinned = studio.http.get(where, params=query).json()["items"]
    assert [one["step"] for one in pinned] == [1, 2, 3]
    page.goto(f"{studio.url}/runs/{run_id}?tab=trajectories&pinned=true&sort=step")
    rows = page.get_by_test_id("trajectory-row")
    expect(rows).to_have_count(3)
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    slider = page.get_by_role("slider", name="Step")
    expect(slider).to_be_visible()
    page.keyboard.press("ArrowRight")
    card = page.get_by_test_id("token-card")
    for one in pinned:
        expect(slider).to_have_attribute("aria-valuetext", f"Step {one['step']}")
        expect(card).to_contain_text(f"token 1 of {one['tokens']}")
        assert page.locator("[data-i]").count() == one["tokens"]
        page.keyboard.press("]")
    expect(slider).to_have_attribute("aria-valuetext", "Step 3")
    tab_to(page, slider)
    page.keyboard.press("ArrowLeft")
    expect(slider).to_have_attribute("aria-valuetext", "Step 2")

    # What two views were shown, and in what they differ.
    prompts = page.get_by_test_id("prompts")
    item = studio.http.get(f"{where}/{pinned[1]['id']}").json()
    expect(prompts.get_by_label("Student's prompt", exact=True)).to_contain_text(
        item["student_prompt"].strip()[:40]
    )
    tab_to(page, prompts.get_by_role("combobox", name="against"))
    page.keyboard.type("Primary")
    difference = prompts.get_by_role("region", name="Difference")
    expect(difference).to_be_visible()  # what compares is loaded when it is asked for
    added = difference.get_by_role("insertion").all_inner_texts()
    assert any("Study this solution" in text for text in added)
    same = difference.get_by_role("button", name=re.compile("words the same"))
    if same.count():
        before = same.count()
        tab_to(page, same.first)
        page.keyboard.press("Enter")
        expect(same).to_have_count(before - 1)
    assert not violations(page)
