"""Readers get a file from where it is, quickly again, and a clear word where it is not yet."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from app.errors import UnavailableError
from app.settings import Settings
from app.storage import cache
from app.storage.reading import ArtifactNotThereYetError, checkpoint_steps, readable
from app.storage.store import artifact_store

KEY = "runs/abc/attempt-1/trajectories/step-000001.parquet"


def _down(*_: object, **__: object) -> None:
    raise ConnectionError("down")


def test_a_shared_home_folder_is_read_where_it_lies(tmp_path: Path) -> None:
    shared = Settings(home=tmp_path)
    assert readable(shared, KEY, tmp_path / "there") == tmp_path / "there"


def test_a_file_is_fetched_once(remote: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    store = artifact_store(remote)
    with pytest.raises(ArtifactNotThereYetError) as told:
        readable(remote, KEY, Path("x"))
    assert (told.value.status, told.value.code) == (409, "artifact_not_there_yet")
    store.put_bytes(b"1", KEY)
    first = readable(remote, KEY, Path("x"))
    assert first.read_bytes() == b"1"
    monkeypatch.setattr(store._system, "open", _down)
    monkeypatch.setattr(store._system, "info", _down)
    assert readable(remote, KEY, Path("x")) == first
    with pytest.raises(UnavailableError, match="down"):
        readable(remote, KEY + "2", Path("x"))


def test_a_file_that_may_change_is_asked_for_again(remote: Settings) -> None:
    store = artifact_store(remote)
    store.put_bytes(b"1\n", KEY)
    assert readable(remote, KEY, Path("x"), final=False).read_bytes() == b"1\n"
    store.put_bytes(b"1\n2\n", KEY)
    assert readable(remote, KEY, Path("x"), final=False).read_bytes() == b"1\n2\n"


def test_the_copies_stay_below_their_bound_and_those_used_last_stay(
    remote: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    bounded = remote.model_copy(update={"artifact_cache_bytes": 300})
    store = artifact_store(bounded)
    monkeypatch.setattr(cache, "_held", {})
    paths = []
    for number in range(4):
        store.put_bytes(b"x" * 100, f"runs/abc/f{number}")
        paths.append(readable(bounded, f"runs/abc/f{number}", Path("x")))
        age = time.time() - 1000 + number
        os.utime(paths[-1], (age, age))
        if number == 2:
            readable(bounded, "runs/abc/f0", Path("x"))
    assert [path.exists() for path in paths] == [True, False, True, True]


def test_a_full_disk_is_told(remote: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    artifact_store(remote).put_bytes(b"1", KEY)

    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "open", full)
    with pytest.raises(UnavailableError, match="No space left"):
        readable(remote, KEY, Path("x"))


def test_only_whole_checkpoints_count(plain: Settings) -> None:
    store = artifact_store(plain)
    place = "runs/abc/attempt-1"
    for name in ("step-00000002/state.json", "step-00000002/manifest.json", "step-00000004/a"):
        store.put_bytes(b"", f"{place}/checkpoints/{name}")
    assert checkpoint_steps(plain, place, plain.home / place) == {2}
