"""Exports, their downloads and bundles with a real server, on both databases."""

from __future__ import annotations

import zipfile

import pytest

from app.client import ConflictError, NotFoundError
from app.exports.schemas import ExportCreate
from core.errors import StudioError
from tests.app.test_exports_api import FILES, TOKEN, finish, make, trained

__all__ = ["trained"]
WEIGHTS = "adapter_model.safetensors"


@pytest.fixture
def export(client, database, settings, trained):
    """An export that is made."""
    export_id = make(client, database, settings, trained)
    finish(database, export_id)
    return export_id


def test_an_export_is_asked_for_found_cancelled_and_deleted(studio, trained):
    kinds = {one.kind: one for one in studio.exports.options(trained).kinds}
    assert kinds["merged"].available
    made = studio.exports.start(trained, {"kind": "merged"})
    assert (made.status, made.run_id) == ("queued", trained)
    assert [one.id for one in studio.exports.list(run=trained, open_only=True)] == [made.id]
    assert list(studio.exports.list(kind="adapter")) == []
    assert studio.exports.find(made.id[:8]).id == made.id
    assert studio.exports.cancel(made.id).status == "cancelled"
    assert studio.exports.wait(made.id).status == "cancelled"
    with pytest.raises(ConflictError) as caught:
        studio.exports.cancel(made.id)
    assert "Delete it" in caught.value.remedy
    studio.exports.delete(made.id)
    with pytest.raises(NotFoundError):
        studio.exports.get(made.id)


def test_a_token_of_the_hub_is_sent_but_not_shown(studio, trained, monkeypatch):
    hub = {"repository": "me/mine", "token": TOKEN}
    wanted = ExportCreate.model_validate({"kind": "hub", "hub": hub})
    assert TOKEN not in repr(wanted)
    seen = []
    monkeypatch.setattr("app.exports.secrets.keep", lambda _, token: seen.append(token) or "half")
    made = studio.exports.start(trained, wanted)
    assert seen == [TOKEN]
    assert TOKEN not in made.model_dump_json()


def test_all_files_come_as_an_archive_and_one_as_it_is(studio, export, tmp_path):
    folder = tmp_path / "fetched"
    folder.mkdir()
    where = studio.exports.download(export, folder)
    with zipfile.ZipFile(where) as archive:
        found = {name.rpartition("/")[2]: archive.read(name) for name in archive.namelist()}
    assert found == FILES
    one = studio.exports.download(export, folder / "weights", file=WEIGHTS)
    assert one.read_bytes() == FILES[WEIGHTS]
    assert {path.name for path in folder.iterdir()} == {where.name, "weights"}
    with pytest.raises(NotFoundError):
        studio.exports.download(export, folder, file="nothing")


def test_a_download_that_was_cut_off_goes_on(studio, export, tmp_path, monkeypatch):
    monkeypatch.setattr("app.client.downloads._PIECE", 1000)
    target, whole = tmp_path / "weights", len(FILES[WEIGHTS])

    def cut_off(done, _):
        if done >= 3000:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        studio.exports.download(export, target, file=WEIGHTS, on_progress=cut_off)
    assert not target.exists()
    part = tmp_path / "weights.part"
    assert part.stat().st_size == 3000
    told = []
    studio.exports.download(export, target, file=WEIGHTS, on_progress=lambda *now: told.append(now))
    assert told[0] == (3000, whole)
    assert told[-1] == (whole, whole)
    assert target.read_bytes() == FILES[WEIGHTS]
    # What is left of other bytes is not gone on with.
    part.write_bytes(b"?" * 3000)
    (tmp_path / "weights.part.etag").write_text('"another"')
    studio.exports.download(export, target, file=WEIGHTS)
    assert target.read_bytes() == FILES[WEIGHTS]


@pytest.mark.parametrize("file", [WEIGHTS, None])
def test_a_damaged_download_never_takes_its_place(studio, export, tmp_path, monkeypatch, file):
    monkeypatch.setattr("app.client.downloads._PIECE", 1000)
    target, part = tmp_path / "got", tmp_path / "got.part"

    def cut_off(done, _):
        if done >= 3000:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        studio.exports.download(export, target, file=file, on_progress=cut_off)
    half = bytearray(part.read_bytes())
    half[2000] ^= 1  # a disk that lies
    part.write_bytes(half)
    with pytest.raises(StudioError) as caught:
        studio.exports.download(export, target, file=file)
    assert (caught.value.problem.code, WEIGHTS in str(caught.value)) == ("download_damaged", True)
    assert list(tmp_path.glob("got*")) == []
    studio.exports.download(export, target, file=file)
    assert target.exists()


def test_a_runs_files_are_told_and_a_bundle_starts_it_again(studio, trained):
    assert {entry.kind for entry in studio.exports.files(trained).items} == {
        "adapter",
        "checkpoint",
    }
    assert [one.run_id for one in studio.exports.artifacts(run=trained)] == [trained]
    wanted = {"bundle": studio.bundles.get(trained).model_dump(mode="json"), "name": "again"}
    assert studio.bundles.check(wanted).errors == []
    started = studio.bundles.start(wanted)
    again = studio.runs.get(started.run.id)
    assert (again.name, again.config) == ("again", studio.runs.get(trained).config)
