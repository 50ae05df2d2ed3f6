"""Answers side by side through real parts: API, worker, model process, Redis, both databases."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.axe import violations
from tests.e2e.installation import Installation, installation
from tests.servers import is_alive, migrated_database
from tests.worker.trainer.tiny import make_records

OVER = {"done", "failed", "cancelled"}
LONG = 1500
"""More tokens than are generated before a cancellation is heard."""


@pytest.fixture(
    scope="module", params=[pytest.param("sqlite", marks=pytest.mark.full), "postgresql"]
)
def studio(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Installation]:
    """One installation for all tests here."""
    home = tmp_path_factory.mktemp("home")
    with (
        migrated_database(
            request.param, home, lambda: str(request.getfixturevalue("postgresql"))
        ) as url,
        installation(home, url) as running,
    ):
        yield running


@pytest.fixture(scope="module")
def config(tiny_model: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    records = make_records(tmp_path_factory.mktemp("data") / "records.jsonl")
    return {
        "model": {"name": str(tiny_model), "dtype": "float32", "lora": {"rank": 4}},
        "data": {"path": str(records)},
        "teacher": {"weights": "ema"},
        "training": {
            "max_steps": 4,
            "batch_size": 2,
            "learning_rate": 0.1,
            "checkpoint_every_steps": 2,
        },
        "generation": {"max_completion_length": 8},
    }


@pytest.fixture(scope="module")
def run_id(studio: Installation, config: dict[str, Any]) -> str:
    """A run whose adapter says something else than the base."""
    run = studio.create(config, name="tuned")
    assert studio.wait_for_end(run)["status"] == "succeeded"
    return run


def ask(studio: Installation, **wanted: Any) -> dict[str, Any]:
    answer = studio.http.post("/api/generations", json={"prompt": "Hello?", **wanted})
    assert answer.status_code == 202, answer.text
    found: dict[str, Any] = answer.json()
    return found


def get(studio: Installation, name: str) -> dict[str, Any]:
    found: dict[str, Any] = studio.http.get(f"/api/generations/{name}").json()
    return found


def over(studio: Installation, name: str) -> dict[str, Any]:
    studio.wait_until(lambda: get(studio, name)["status"] in OVER, f"the answers {name}")
    return get(studio, name)


def answered(studio: Installation, **wanted: Any) -> dict[str, Any]:
    found = over(studio, ask(studio, **wanted)["id"])
    assert (found["status"], found["problem"]) == ("done", None)
    return found


def texts(found: dict[str, Any], column: int) -> list[str]:
    return [one["text"] for one in found["answers"] if one["column"] == column]


def streamed(studio: Installation, name: str) -> dict[tuple[int, int], str]:
    """What the stream of a comparison tells, put together."""
    told: dict[tuple[int, int], str] = {}
    with studio.http.stream("GET", f"/api/generations/{name}/events", timeout=60) as answer:
        for line in answer.iter_lines():
            if line.startswith("data: ["):
                for column, sample, text, _, _ in json.loads(line[6:]):
                    told[column, sample] = told.get((column, sample), "") + text
            if line == "event: end":
                return told
    raise AssertionError("the stream broke off")


def test_answers_stream_are_kept_and_do_not_depend_on_each_other(
    studio: Installation, run_id: str, config: dict[str, Any]
) -> None:
    adapter = {"run_id": run_id, "weights": "adapter"}
    columns: list[dict[str, Any]] = [
        {},
        adapter,
        {"run_id": run_id, "weights": "ema_adapter"},
        adapter | {"checkpoint": 2},
        {"run_id": run_id, "weights": "base", "view": "primary"},
        {},
    ]
    how = {"samples": 2, "temperature": 1.0, "max_tokens": 24}
    shown = "3, as 1 + 2 is 3."
    asked = ask(studio, columns=columns, demonstration=shown, **how)
    told = streamed(studio, asked["id"])
    found = over(studio, asked["id"])
    assert (found["status"], found["problem"]) == ("done", None)
    kept = {(one["column"], one["sample"]): one["text"] for one in found["answers"]}
    assert kept
    assert kept == {key: text.replace("\0", "\ufffd") for key, text in told.items()}
    assert len(kept) == 2 * len(columns)

    # Other models and prompts say other things, the same one the same.
    assert texts(found, 0) == texts(found, 5)
    # (The EMA teacher is nearly its base after so few steps.)
    others = [tuple(texts(found, column)) for column in (0, 1, 3, 4)]
    assert len(set(others)) == len(others)
    assert shown in found["columns"][4]["prompt"]
    assert shown not in found["columns"][1]["prompt"]

    # A column alone says the same, from the process that stayed warm.
    (child,) = studio.trainers()
    alone = answered(studio, columns=[adapter], **how)
    assert texts(alone, 0) == texts(found, 1)
    assert [one.pid for one in studio.trainers()] == [child.pid]
    assert alone["first_token_seconds"] < 1

    # Its tokens are its text, and the greedy choice is the first of the alternatives.
    url = f"/api/generations/{alone['id']}/answers/0/0"
    items = studio.http.get(url).json()["items"]
    said = "".join(one["piece"] for one in items)
    assert said.startswith(texts(alone, 0)[0])
    for one in items:
        assert len(one["top"]) == 5
        assert one["logprob"] <= one["top"][0]["logprob"] + 1e-6
    greedy = answered(studio, columns=[adapter], temperature=0, max_tokens=6)
    items = studio.http.get(f"/api/generations/{greedy['id']}/answers/0/0").json()["items"]
    assert all(one["id"] == one["top"][0]["id"] for one in items)

    # A record as the run's views see it; a vote counts for its pair.
    record = {"run_id": run_id, "index": 1}
    of_record = answered(
        studio,
        prompt=None,
        record=record,
        max_tokens=4,
        columns=[adapter, adapter | {"view": "primary"}],
    )
    assert "1 + 2 = 3" in of_record["columns"][1]["prompt"]
    vote = {"winner": 1}
    answer = studio.http.post(f"/api/generations/{of_record['id']}/votes", json=vote)
    assert answer.status_code == 200
    (tally,) = studio.http.get("/api/generations/tallies").json()["items"]
    assert sorted((tally["wins"], tally["losses"], tally["ties"])) == [0, 0, 1]

    # The device is given to a run that needs it.
    other = studio.create(config, name="other")
    studio.wait_until(lambda: not is_alive(child), "the end of the model process")
    studio.wait_for_end(other)


def test_a_cancellation_ends_generation_and_a_lost_adapter_is_told(
    studio: Installation, run_id: str
) -> None:
    columns = [{"run_id": run_id, "weights": "adapter"}]
    name = ask(studio, columns=columns, samples=8, temperature=1.5, max_tokens=LONG)["id"]
    studio.wait_until(lambda: bool(get(studio, name)["answers"]), "the first tokens")
    assert studio.http.post(f"/api/generations/{name}/cancel").status_code == 200
    found = over(studio, name)
    assert found["status"] == "cancelled"
    assert any(one["end"] is None and one["text"] for one in found["answers"])
    answered(studio, columns=columns, max_tokens=2)  # the process is free for the next

    folder = studio.home / "runs" / run_id / "attempt-1" / "ema_adapter"
    hidden = folder.rename(folder.with_name("hidden"))
    gone = [{"run_id": run_id, "weights": "ema_adapter"}]
    failed = over(studio, ask(studio, columns=gone)["id"])
    hidden.rename(folder)
    assert (failed["status"], failed["problem"]["code"]) == ("failed", "adapter_not_found")

    # A process that dies is told too, and the next answer has another one.
    name = ask(studio, columns=columns, samples=8, temperature=1.5, max_tokens=LONG)["id"]
    studio.wait_until(lambda: bool(get(studio, name)["answers"]), "the first tokens")
    studio.kill("trainer")
    died = over(studio, name)
    assert (died["status"], died["problem"]["code"]) == ("failed", "model_process_died")
    answered(studio, columns=columns, max_tokens=2)


def test_what_cannot_be_compared_is_refused_with_its_field(
    studio: Installation, run_id: str
) -> None:
    wrong = {
        "demonstration_missing": {"columns": [{"run_id": run_id, "view": "primary"}]},
        "view_needs_record": {"columns": [{"run_id": run_id, "view": "negative"}]},
        "run_missing": {"columns": [{"weights": "adapter"}]},
        "prompt_missing": {"columns": [{}], "record": {"run_id": run_id, "index": 0}},
        "models_differ": {"columns": [{"run_id": run_id}], "model": "other/model"},
        "record_unavailable": {
            "prompt": None,
            "columns": [{"run_id": run_id}],
            "record": {"run_id": run_id, "index": 999},
        },
    }
    for code, wanted in wrong.items():
        answer = studio.http.post("/api/generations", json={"prompt": "Hello?", **wanted})
        assert (answer.status_code, answer.json()["code"]) == (422, code), answer.text
        assert answer.json()["errors"][0]["field"]


def test_the_page_streams_compares_and_votes_blind_by_keyboard(
    studio: Installation, run_id: str, page: Page
) -> None:
    page.goto(f"{studio.url}/runs/{run_id}")
    page.locator("#content").get_by_role("link", name="Side by side").press("Enter")
    expect(page.get_by_label("Column 2: run")).to_have_value(run_id)
    page.get_by_role("textbox", name="Prompt", exact=True).fill("What is 1 + 2?")
    page.get_by_label("Longest answer, tokens").fill("20")
    page.get_by_label("Temperature").fill("1")
    page.get_by_role("switch", name="Blind: shuffle").focus()
    page.keyboard.press("Space")
    assert not violations(page)
    page.get_by_role("textbox", name="Prompt", exact=True).press("Control+Enter")
    state = page.get_by_test_id("comparison-state")
    expect(state).to_contain_text("Done", timeout=60_000)
    one, two = (page.get_by_role("region", name=f"Column {place}:") for place in (1, 2))
    expect(one.get_by_role("heading")).to_have_text("A")
    expect(one.get_by_text("Prompt")).to_have_count(0)
    expect(two.get_by_test_id("answer").locator("mark").first).to_be_visible()
    assert not violations(page)

    # The vote names the columns.
    page.locator("body").press("2")
    expect(page.get_by_role("heading", name="tuned")).to_be_visible()
    expect(page.get_by_role("heading", name="Base tiny")).to_be_visible()
    expect(page.get_by_role("button", name="2.", pressed=True)).to_be_visible()
    said = [column.get_by_test_id("answer").inner_text() for column in (one, two)]

    # Its tokens, walked by keys, survive a reload.
    two.get_by_role("button", name="Tokens").press("Enter")
    tokens = two.get_by_role("listbox")
    tokens.press("ArrowRight")
    tokens.press("ArrowRight")
    card = two.get_by_test_id("token-card")
    expect(card).to_contain_text("token 2 of")
    expect(card.get_by_role("listitem")).to_have_count(5)
    told = card.inner_text()
    assert not violations(page)
    page.reload()
    expect(card).to_have_text(told, use_inner_text=True)
    two.get_by_role("button", name="Text").press("Enter")
    assert [column.get_by_test_id("answer").inner_text() for column in (one, two)] == said

    # Saved, it is found again; and asked anew, it can be cancelled.
    page.get_by_role("button", name="Save…").press("Enter")
    page.get_by_label("Name (empty").fill("sums")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="sums")).to_be_visible()
    page.keyboard.press("g")
    page.keyboard.press("b")
    expect(page.get_by_role("region", name="Votes by pair")).to_contain_text("tuned")
    page.get_by_role("switch", name="Saved only").press("Space")
    page.get_by_role("link", name="sums").press("Enter")
    page.get_by_role("button", name="Change what is asked").press("Enter")
    page.get_by_label("Longest answer, tokens").fill(str(LONG))
    page.get_by_label("Answers per column").fill("8")
    page.get_by_label("Temperature").fill("1.5")
    page.get_by_role("button", name="Generate").press("Enter")
    expect(page.get_by_test_id("answer").first).to_be_visible(timeout=60_000)
    page.locator("body").press("x")
    expect(state).to_contain_text("Cancelled", timeout=20_000)
