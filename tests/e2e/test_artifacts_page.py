"""The page of artifacts in a real Chromium: export the adapter, load it, and start the run anew."""

from __future__ import annotations

import json
import re
import zipfile
from pathlib import Path
from typing import Any

import torch
from playwright.sync_api import Page, expect
from transformers import AutoModelForCausalLM

from tests.e2e.installation import Installation
from tests.worker.trainer.exporting.test_exports import with_adapter


def test_the_adapter_is_exported_and_loads_and_its_run_is_started_anew(
    page: Page, plain_studio: Installation, config: dict[str, Any], tmp_path: Path
) -> None:
    training = {"max_steps": 4, "batch_size": 2, "checkpoint_every_steps": 2}
    run_id = plain_studio.create(config | {"training": training}, name="To take home")
    plain_studio.wait_for_end(run_id)
    page.goto(f"{plain_studio.url}/runs/{run_id}")
    page.get_by_role("tab", name="Artifacts").click()
    expect(page.get_by_role("region", name="Files of the run")).to_contain_text(
        "Checkpoint after step 4"
    )
    page.get_by_role("button", name="Export…").click()
    dialog = page.get_by_role("dialog", name="Export")
    expect(dialog.get_by_role("radio", name=re.compile("^GGUF"))).to_be_disabled()
    expect(dialog).to_contain_text("UNISD_GGUF_CONVERTER")
    dialog.get_by_role("radio", name=re.compile("^Push to the hub")).check()
    expect(dialog).to_contain_text("Name the repository as owner/name.")
    dialog.get_by_role("radio", name=re.compile("^Adapter")).check()
    dialog.get_by_label("Weights of").select_option(label="Checkpoint after step 4")
    dialog.get_by_role("button", name="Start the export").click()

    export = page.get_by_role("list", name="Exports of this run").get_by_role(
        "listitem", name="Adapter"
    )
    expect(export).to_contain_text("checkpoint of step 4")
    expect(export).to_contain_text(re.compile("Checked All [0-9]+ greedy tokens"))  # no reload
    with page.expect_download() as download:
        export.get_by_role("link", name="Download Adapter").click()
    assert download.value.suggested_filename == "To-take-home-adapter-step-4.zip"
    with zipfile.ZipFile(download.value.path()) as archive:
        archive.extractall(tmp_path / "adapter")
    base = AutoModelForCausalLM.from_pretrained(config["model"]["name"], dtype=torch.float32)
    with_adapter(base, tmp_path / "adapter")

    with page.expect_download() as download:
        page.get_by_role("link", name="Reproduction bundle").click()
    bundle = tmp_path / "run.unisd.json"
    bundle.write_bytes(Path(download.value.path()).read_bytes())
    assert json.loads(bundle.read_text())["name"] == "To take home"

    page.get_by_role("link", name="Artifacts", exact=True).click()
    page.get_by_label("Search by run").fill("take home")
    page.wait_for_url(re.compile(r"[?&]q=take"))
    rows = page.get_by_role("row").filter(has_text="To take home")
    expect(rows).to_have_count(2)  # the run's own adapter, and the export
    page.get_by_role("button", name="Delete Adapter").click()
    page.get_by_role("button", name="Delete the export").click()
    expect(rows).to_have_count(1)

    page.get_by_role("button", name="Import a bundle…").click()
    importing = page.get_by_role("dialog", name="Import a reproduction bundle")
    importing.get_by_label("Bundle", exact=True).set_input_files(bundle)
    expect(importing).to_contain_text("The data is here, with the same hash")
    importing.get_by_role("button", name="Start the same run").click()
    page.wait_for_url(re.compile(r"/runs/[0-9a-z]{12}"))
    again = page.url.split("/runs/")[1].split("?")[0]
    assert again != run_id
    plain_studio.wait_for_end(again)
    assert plain_studio.losses(again) == plain_studio.losses(run_id)
