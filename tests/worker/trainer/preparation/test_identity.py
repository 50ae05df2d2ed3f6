"""The same name can stand for other weights tomorrow; results must not be mixed up."""

from __future__ import annotations

from core import identity
from worker.trainer.preparation import identity as named
from worker.trainer.preparation.cache import Cache
from worker.trainer.preparation.identity import model_identity


def make_model(folder, weights: bytes):
    folder.mkdir(parents=True)
    (folder / "config.json").write_text("{}")
    (folder / "model.safetensors").write_bytes(weights)
    return folder


def test_a_folder_is_its_content_wherever_it_lies(tmp_path):
    one = make_model(tmp_path / "one", b"weights")
    copy = make_model(tmp_path / "copy", b"weights")
    (copy / "README.md").write_text("a note changes no weights")
    other = make_model(tmp_path / "other", b"Weights")
    assert model_identity(str(one), None) == model_identity(str(copy), None)
    assert model_identity(str(one), None) != model_identity(str(other), None)


def test_a_model_trained_in_place_gets_no_old_results(tmp_path):
    folder = make_model(tmp_path / "model", b"before")
    Cache("k", model_identity(str(folder), None)).put("question", "old")
    (folder / "model.safetensors").write_bytes(b"after!")
    assert Cache("k", model_identity(str(folder), None)).get("question") is None


def test_large_files_are_told_apart_by_samples(tmp_path, monkeypatch):
    monkeypatch.setattr(identity, "SAMPLES", 4)
    monkeypatch.setattr(identity, "BLOCK", 8)
    content = bytes(range(200))
    one = make_model(tmp_path / "one", content)
    for place in (0, 65, 199):
        changed = bytearray(content)
        changed[place] ^= 1
        other = make_model(tmp_path / str(place), bytes(changed))
        assert model_identity(str(one), None) != model_identity(str(other), None)


def test_a_name_on_the_hub_keeps_its_revision(monkeypatch, tmp_path):
    assert model_identity("no/such-model", "v1") == ["no/such-model", "v1"]
    cached = tmp_path / "snapshots" / "abc123" / "config.json"
    monkeypatch.setattr(named, "try_to_load_from_cache", lambda *_, **__: str(cached))
    assert model_identity("no/such-model", None) == ["no/such-model", "abc123"]
    assert model_identity("/nowhere/at/all", None)[0] == "/nowhere/at/all"
