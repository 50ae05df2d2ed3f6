"""An installation filled with a little of everything, and the pages that show it.

A new page is one line in `PAGES`.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final, NamedTuple

from playwright.sync_api import Page, Route, expect

from cli.demo_data import write_demo_data
from tests.e2e.installation import Installation


class Place(NamedTuple):
    """A page, perhaps with something done on it."""

    name: str
    path: str
    """Its address with the identifiers of `fill`."""
    shows: str
    """A text that says that it has come."""
    then: tuple[str, ...] = ()
    """What is done: `press NAME` of a button, `fill LABEL=TEXT`, `key NAME`, `show HEADING`,
    `drag` over the first chart, `point` at it."""
    fails: str = ""
    """Part of the addresses that the server answers with an error."""


PAGES: Final = (
    Place("runs", "/", "{failed_name}"),
    Place("runs-selected", "/", "{failed_name}", ("key j", "key x", "key j", "key j", "key x")),
    Place("runs-grouped", "/?group=method", "sdft", ("key j", "key Enter")),
    Place("runs-columns", "/", "{failed_name}", ("press Columns",)),
    Place("runs-filter", "/?filter=status%3Dsucceeded", "Succeeded", ("press Filter",)),
    Place("runs-views", "/", "{failed_name}", ("press Views",)),
    Place("runs-nothing-found", "/?q=unfindable", "No run matches"),
    Place("runs-broken", "/", "Try again", fails="/api/runs?"),
    Place("project", "/projects/{project}/runs", "{failed_name}"),
    Place("search", "/", "{failed_name}", ("key Control+k", "fill Search everything=s")),
    Place("keys", "/", "{failed_name}", ("key ?",)),
    Place("new-run", "/runs/new", "Model"),
    Place("new-run-advanced", "/runs/new?advanced=true&preset=unisd_star", "Model"),
    Place("new-run-preflight", "/runs/new?from={run}", "Changed", ("show Preflight",)),
    Place("new-run-grid", "/runs/new?from={run}", "Changed", ("fill Seeds=3",)),
    Place("new-run-yaml", "/runs/new?from={run}&view=yaml", "Type or paste here"),
    Place("run-charts", "/runs/{run}", "Charts"),
    Place("run-charts-all", "/runs/{last}?smooth=0.6", "Charts"),
    Place("run-charts-zoomed", "/runs/{run}", "Charts", ("drag", "point")),
    Place("run-chart-enlarged", "/runs/{run}?chart=train%2Floss", "Charts"),
    Place("run-compare", "/runs/{run}", "Charts", ("press Compare…",)),
    Place("run-delete", "/runs/{run}", "Charts", ("press Delete the run",)),
    Place("run-trajectories", "/runs/{run}?tab=trajectories", "Trajectories"),
    Place(
        "run-reader", "/runs/{run}?tab=trajectories&trajectory={trajectory}&token=1", "Completion"
    ),
    Place(
        "run-what-if",
        "/runs/{run}?tab=trajectories&trajectory={trajectory}&token=1&by=gap&map=gap"
        "&prompts=student+teacher&whatif=agreement_token_variance_4+clip_q_0.9",
        "What if",
    ),
    Place("run-evaluations", "/runs/{evaluation}?example=1", "own"),
    Place("run-retention", "/runs/{evaluation}?tab=retention", "Paired comparison"),
    Place(
        "run-retention-example",
        "/runs/{evaluation}?tab=retention&example=1&token=1",
        "The model's answer",
    ),
    Place("run-retention-run", "/runs/{run}?tab=retention", "Across checkpoints"),
    Place("run-logs", "/runs/{run}?tab=logs", "Logs"),
    Place("run-config", "/runs/{run}?tab=config", "Config"),
    Place("run-system", "/runs/{run}?tab=system", "Attempts"),
    Place("run-artifacts", "/runs/{run}?tab=artifacts", "Checked"),
    Place("run-export", "/runs/{run}?tab=artifacts", "Checked", ("press Export…",)),
    Place("run-failed", "/runs/{failed}", "Failed"),
    Place("run-queued", "/runs/{queued}", "in the queue"),
    Place("run-unknown", "/runs/nothing", "There is no such run"),
    Place("compare", "/compare?runs={compared}", "Curves"),
    Place("side-by-side", "/side-by-side", "Votes by pair"),
    Place("comparison", "/side-by-side/{comparison}?tokens=1&token=2", "Which answer is best"),
    Place("compare-tables", "/compare?runs={compared}", "Curves", ("show Metrics",)),
    Place("compare-one", "/compare?runs={run}", "Curves"),
    Place("compare-nothing", "/compare", "Put runs side by side"),
    Place("compare-choose", "/compare?runs={compared}", "Curves", ("press Choose runs",)),
    Place("studies", "/studies", "Which method"),
    Place("study", "/studies/{study}", "Device time"),
    Place("study-effects", "/studies/{study}", "Device time", ("show Main effects",)),
    Place("study-cell", "/studies/{study}?cell=method%3Dsdft%2Crate%3Dslow", "Device time"),
    Place("study-delete", "/studies/{study}", "Device time", ("press Delete the study",)),
    Place("new-study", "/studies/new", "To choose the grid in a form"),
    Place(
        "new-study-example",
        "/studies/new",
        "To choose the grid in a form",
        ("press Begin with an example",),
    ),
    Place("artifacts", "/artifacts", "checked"),
    Place("artifacts-import", "/artifacts", "checked", ("press Import a bundle…",)),
    Place("queue", "/queue", "{queued_name}"),
    Place("datasets", "/datasets", "sums"),
    Place("datasets-hub", "/datasets", "sums", ("press From the hub",)),
    Place("dataset", "/datasets/{dataset}", "left out"),
    Place("dataset-checks", "/datasets/{dataset}", "left out", ("show Lengths in tokens",)),
    Place("workers", "/workers", "Heartbeat"),
    Place("worker-quarantine", "/workers", "Heartbeat", ("press Quarantine…",)),
    Place("nowhere", "/nowhere", "nothing at this address"),
)

EMPTY: Final = (
    Place("fresh-runs", "/", "No runs yet"),
    Place("fresh-new-run", "/runs/new", "Model"),
    Place("fresh-studies", "/studies", "No studies yet"),
    Place("fresh-artifacts", "/artifacts", "No artifact yet"),
    Place("fresh-queue", "/queue", "Nothing waits here"),
    Place("fresh-datasets", "/datasets", "No data set yet"),
    Place("fresh-workers", "/workers", "Heartbeat"),
)
"""Pages of an installation in which nobody did anything yet."""


def visit(page: Page, url: str, known: dict[str, str], place: Place) -> None:
    """Open a page and do on it what is to be done."""
    if place.fails:
        page.route(lambda address: place.fails in address, _refuse)
    page.goto(url + place.path.format(**known))
    text = page.get_by_role("main").get_by_text(place.shows.format(**known))
    expect(text.first).to_be_visible()
    page.wait_for_load_state("networkidle")
    for one in place.then:
        _act(page, *one.partition(" ")[::2])


def _refuse(route: Route) -> None:
    route.fulfill(status=500, content_type="text/plain", body="Internal Server Error")


def _act(page: Page, what: str, name: str) -> None:
    if what == "press":
        page.get_by_role("button", name=name, exact=True).first.press("Enter")
    elif what == "key":
        page.keyboard.press(name)
    elif what == "fill":
        label, _, text = name.partition("=")
        page.get_by_label(label).last.fill(text)
    elif what == "show":
        page.get_by_role("heading", name=name).last.scroll_into_view_if_needed()
        page.mouse.move(900, 600)
        page.mouse.wheel(0, 600)
    else:
        chart = page.locator("canvas[data-testid^=chart-]").first
        box = chart.bounding_box()
        assert box
        middle = box["y"] + box["height"] / 2
        page.mouse.move(box["x"] + box["width"] * 0.4, middle)
        if what == "drag":
            page.mouse.down()
            page.mouse.move(box["x"] + box["width"] * 0.8, middle)
            page.mouse.up()
    page.wait_for_load_state("networkidle")


QUESTIONS: Final = 6
METHODS: Final = ("sdft", "ema", "unisd_star")
"""Presets that a full showcase trains."""


def fill(
    studio: Installation,
    folder: Path,
    model: Path,
    *,
    methods: tuple[str, ...],
    steps: int,
    wait: bool,
) -> dict[str, str]:
    """Real runs of several methods, one that failed, one that waits, a data set, a study, exports.

    Args:
        studio: a running installation with a worker.
        folder: for the files.
        model: a small model.
        methods: presets of the study's runs; the first is also trained alone, and evaluated.
        steps: optimizer steps of each run.
        wait: for the study's runs; else they stay in the paused queue.

    Returns:
        Identifiers and names for `PAGES`.
    """
    dataset = _dataset(studio, folder)
    config = _config(model, steps)
    run = studio.create(config | {"preset": methods[0]}, name=f"{methods[0]} alone")
    studio.wait_for_end(run)
    failed = _failed(studio, config, folder)
    evaluation = _evaluation(studio, folder, run)
    comparison = _comparison(studio, run)
    _exports(studio, run)
    project = studio.run(run)["project_id"]
    study, cells = _study(studio, config, methods, str(project), wait=wait)
    _pause(studio, "pause")
    queued = studio.create(config, name="for later")
    found = studio.http.get(f"/api/runs/{run}/trajectories", params={"limit": 1}).json()
    return {
        "run": run,
        "trajectory": str(found["items"][0]["id"]),
        "last": cells[-1] if wait else run,
        "failed": failed,
        "failed_name": "without its data",
        "evaluation": evaluation,
        "comparison": comparison,
        "queued": queued,
        "queued_name": "for later",
        "dataset": dataset,
        "study": study,
        "compared": ",".join([run, *(cells if wait else [failed])][:6]),
        "project": str(project),
    }


def _dataset(studio: Installation, folder: Path) -> str:
    """A file of worked examples in which a line is broken and a prompt stands twice."""
    file = folder / "sums.jsonl"
    write_demo_data(file)
    lines = file.read_text().splitlines()[:80]
    file.write_text("\n".join([*lines, '{"question": "What', lines[3]]) + "\n")
    asked = {"name": "sums", "file_name": file.name}
    answer = studio.http.post("/api/datasets/upload", params=asked, content=file.read_bytes())
    return str(answer.raise_for_status().json()["dataset_id"])


def _config(model: Path, steps: int) -> dict[str, Any]:
    return {
        "model": {"name": str(model), "dtype": "float32", "lora": {"rank": 4}},
        "data": {"dataset": "sums@1"},
        "training": {"max_steps": steps, "batch_size": 2, "gradient_accumulation_steps": 1},
        "generation": {"max_completion_length": 24},
        "recording": {"every_steps": 2, "pinned_every_steps": max(2, steps // 2)},
        "evaluation": {"examples": 8},
    }


def _comparison(studio: Installation, run_id: str) -> str:
    """The base and a run's adapter side by side, with a vote."""
    columns = [{}, {"run_id": run_id, "weights": "adapter"}]
    asked = {"prompt": "What is 12 + 7?", "columns": columns, "max_tokens": 48, "name": "sums"}
    answer = studio.http.post("/api/generations", json=asked).raise_for_status()
    url = f"/api/generations/{answer.json()['id']}"
    studio.wait_until(lambda: studio.http.get(url).json()["status"] == "done", "the answers")
    studio.http.post(f"{url}/votes", json={"winner": 1}).raise_for_status()
    return str(answer.json()["id"])


def _evaluation(studio: Installation, folder: Path, run_id: str) -> str:
    """Questions with two options, answered by what a run trained and by its base."""
    file = folder / "questions.jsonl"
    rows = [
        {
            "id": f"q{n}",
            "question": f"Which is {n}?",
            "choices": [f"{n + 1}", f"{n}"],
            "answer": f"{n}",
        }
        for n in range(QUESTIONS)
    ]
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    asked = {"name": "own", "path": str(file), "max_new_tokens": 8, "retention": True}
    created = studio.http.post("/api/evaluations", json={"run_id": run_id, "sets": [asked]})
    evaluation = str(created.raise_for_status().json()["id"])
    studio.wait_for_end(evaluation)
    return evaluation


def _exports(studio: Installation, run_id: str) -> None:
    """Two that were made, a push that the hub did not take, and one that waits."""
    hub = {"repository": "me/sums", "token": "hf_none"}
    for wanted in ({"kind": "adapter"}, {"kind": "merged"}, {"kind": "hub", "hub": hub}):
        made = studio.http.post(f"/api/runs/{run_id}/exports", json=wanted)
        studio.wait_for_end(str(made.raise_for_status().json()["id"]))
    _pause(studio, "pause", queue="interactive")
    studio.http.post(f"/api/runs/{run_id}/exports", json={"kind": "merged"}).raise_for_status()


def _failed(studio: Installation, config: dict[str, Any], folder: Path) -> str:
    """A run whose data is gone when it starts."""
    data = folder / "gone.jsonl"
    write_demo_data(data)
    _pause(studio, "pause")
    run_id = studio.create(config | {"data": {"path": str(data)}}, name="without its data")
    data.unlink()
    _pause(studio, "resume")
    assert studio.wait_for_end(run_id)["status"] == "failed"
    return run_id


def _study(
    studio: Installation,
    config: dict[str, Any],
    methods: tuple[str, ...],
    project_id: str,
    *,
    wait: bool,
) -> tuple[str, list[str]]:
    """Methods by two learning rates."""
    project = studio.http.get(f"/api/projects/{project_id}").json()["name"]
    plan = {
        "project": project,
        "name": "Which method, how fast?",
        "base": config,
        "factors": {
            "method": {name: {"preset": name} for name in methods},
            "rate": {"slow": {"training": {"learning_rate": 1e-5}}, "fast": {}},
        },
        "metrics": ["eval/reference/nll", "train/loss"],
    }
    _pause(studio, "resume" if wait else "pause")
    made = studio.http.post("/api/studies", json=plan)
    assert made.status_code == 201, made.text
    if wait:
        for cell in made.json()["cells"]:
            studio.wait_for_end(cell["id"])
    return str(made.json()["id"]), [str(cell["id"]) for cell in made.json()["cells"]]


def _pause(studio: Installation, wish: str, queue: str = "gpu") -> None:
    studio.http.post(f"/api/queues/{queue}/{wish}").raise_for_status()
