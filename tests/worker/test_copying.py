"""What of an attempt's folder is in the store, and when, whatever breaks."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from app.settings import Settings
from app.storage.store import Store, StoreError, artifact_store
from tests.worker.folders import grown_old, write, write_attempt, write_checkpoint
from worker.copying import Copy

KEY = "runs/abc/attempt-1"
END = {"events.jsonl", "trainer.log"}


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return artifact_store(Settings(home=tmp_path / "home", artifacts_url=f"memory:/{tmp_path}"))


@pytest.fixture
def attempt(tmp_path: Path) -> Path:
    return write_attempt(tmp_path / "home" / KEY)


def _names(store: Store) -> set[str]:
    return {key.removeprefix(f"{KEY}/") for key in store.list(KEY)}


def _steps(store: Store) -> set[str]:
    return {name.split("/")[1] for name in _names(store) if name.endswith("manifest.json")}


def _nothing() -> None:
    return


class _Wire:
    """Between the worker and the store; breaks as told, and counts what goes over it."""

    def __init__(self, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
        self.sent: list[str] = []
        self.breaks_after: int | None = None
        self._put = store._system.put_file
        monkeypatch.setattr(store._system, "put_file", self._send)

    def _send(self, source: str, path: str) -> None:
        if self.breaks_after is not None and len(self.sent) >= self.breaks_after:
            raise ConnectionError("down")
        self._put(source, path)
        self.sent.append(Path(source).name)


def test_while_it_runs_what_grows_waits_and_what_is_whole_goes(store: Store, attempt: Path) -> None:
    write(attempt / ".run.yaml.1.tmp", "half")
    write(attempt / "checkpoints" / ".step-00000001.9.tmp" / "manifest.json", "half")
    write(attempt / "adapter" / "adapter_model.safetensors")
    write(attempt / "evaluations" / "own" / "answers.jsonl", "{}\n")
    quiet = write(attempt / "evaluations" / "first" / "answers.jsonl", "{}\n")
    grown_old(quiet)
    copy = Copy(store, attempt, KEY)
    copy.proceed(over=False, pause=_nothing)
    assert _names(store) == {
        "run.yaml",
        "trajectories/step-000001.parquet",
        "adapter/adapter_model.safetensors",
        "evaluations/first/answers.jsonl",
    }
    write(quiet, "{}\n{}\n")
    copy.proceed(over=True, pause=_nothing)
    assert _names(store) >= END | {"evaluations/own/answers.jsonl"}
    assert store.read(f"{KEY}/evaluations/first/answers.jsonl") == b"{}\n{}\n"
    assert not any(name.endswith(".tmp") for name in store._all(KEY))


def test_a_file_goes_once_also_after_a_restart(
    store: Store, attempt: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wire = _Wire(store, monkeypatch)
    write_checkpoint(attempt, 1)
    copy = Copy(store, attempt, KEY)
    for _ in range(2):
        copy.proceed(over=True, pause=_nothing)
    Copy(store, attempt, KEY).proceed(over=True, pause=_nothing)
    assert sorted(wire.sent) == sorted(
        [
            *("run.yaml", "step-000001.parquet", *END),
            *("manifest.json", "state.json", "student.safetensors"),
        ]
    )


@pytest.mark.parametrize("whole", range(8))
def test_a_break_at_any_file_leaves_whole_checkpoints_and_is_made_good(
    store: Store, attempt: Path, monkeypatch: pytest.MonkeyPatch, whole: int
) -> None:
    wire = _Wire(store, monkeypatch)
    write_checkpoint(attempt, 1)
    wire.breaks_after = whole
    copy = Copy(store, attempt, KEY)
    if whole < 7:
        with pytest.raises(StoreError, match="down"):
            copy.proceed(over=True, pause=_nothing)
    for step in _steps(store):
        assert len([name for name in _names(store) if step in name]) == 3
    wire.breaks_after = None
    for again in (copy, Copy(store, attempt, KEY)):
        again.proceed(over=True, pause=_nothing)
        assert len(_names(store)) == 7
    assert not list(attempt.glob(".held*"))


def test_a_half_copied_checkpoint_is_not_mixed_with_one_written_anew(
    store: Store, attempt: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wire = _Wire(store, monkeypatch)
    wire.breaks_after = 3
    folder = write_checkpoint(attempt, 1, "first")
    with pytest.raises(StoreError):
        Copy(store, attempt, KEY).proceed(over=False, pause=_nothing)
    assert f"checkpoints/{folder.name}/state.json" in _names(store)
    shutil.rmtree(folder)
    write_checkpoint(attempt, 1, "again")
    wire.breaks_after = None
    Copy(store, attempt, KEY).proceed(over=False, pause=_nothing)
    place = f"{KEY}/checkpoints/{folder.name}"
    contents = {store.read(key) for key in store.list(place)}
    assert contents == {b"again 1"}


def test_the_newest_checkpoint_goes_first_and_those_removed_here_go_there(
    store: Store, attempt: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copy = Copy(store, attempt, KEY)
    first, second = write_checkpoint(attempt, 2), write_checkpoint(attempt, 4)
    wire = _Wire(store, monkeypatch)
    wire.breaks_after = 5  # two other files, three of a checkpoint
    with pytest.raises(StoreError):
        copy.proceed(over=False, pause=_nothing)
    assert _steps(store) == {second.name}
    wire.breaks_after = None
    copy.proceed(over=False, pause=_nothing)
    third = write_checkpoint(attempt, 6)
    shutil.rmtree(first)
    copy.proceed(over=False, pause=_nothing)
    assert _steps(store) == {second.name, third.name}
    assert not [name for name in _names(store) if first.name in name]


def test_a_checkpoint_whose_removal_breaks_off_is_none(
    store: Store, attempt: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copy = Copy(store, attempt, KEY)
    first = write_checkpoint(attempt, 2)
    write(first / "ema.safetensors")
    copy.proceed(over=False, pause=_nothing)
    second = write_checkpoint(attempt, 4)
    shutil.rmtree(first)
    delete = store.delete

    def once(key: str) -> None:
        delete(key)
        raise StoreError("down")

    with monkeypatch.context() as patch:
        patch.setattr(store, "delete", once)
        with pytest.raises(StoreError):
            copy.proceed(over=False, pause=_nothing)
    assert _steps(store) == {second.name}
    Copy(store, attempt, KEY).proceed(over=False, pause=_nothing)
    assert not [name for name in _names(store) if first.name in name]


def test_what_a_killed_worker_left_half_written_in_the_store_goes(
    store: Store, attempt: Path
) -> None:
    store._system.makedirs(f"{store._root}/{KEY}", exist_ok=True)
    store._system.pipe_file(f"{store._root}/{KEY}/.run.yaml.0badcafe.tmp", b"half")
    Copy(store, attempt, KEY).proceed(over=False, pause=_nothing)
    assert not [key for key in store._all(KEY) if key.endswith(".tmp")]


def test_a_checkpoint_that_the_trainer_replaces_meanwhile_is_copied_all_the_same(
    store: Store, attempt: Path
) -> None:
    folder = write_checkpoint(attempt, 2)

    def replace() -> None:
        if any(name.endswith("state.json") for name in _names(store)):
            shutil.rmtree(folder, ignore_errors=True)

    Copy(store, attempt, KEY).proceed(over=False, pause=replace)
    assert _steps(store) == {folder.name}


def test_the_last_checkpoint_stays_in_the_store_when_all_are_gone_here(
    store: Store, attempt: Path
) -> None:
    folder = write_checkpoint(attempt, 2)
    copy = Copy(store, attempt, KEY)
    copy.proceed(over=False, pause=_nothing)
    shutil.rmtree(folder)
    copy.proceed(over=True, pause=_nothing)
    assert _steps(store) == {folder.name}
