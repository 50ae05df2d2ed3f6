"""What another host has comes to lie here before the trainer starts."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from app.settings import Settings
from app.storage.store import Store, artifact_store
from core.errors import StudioError
from core.states import RunKind
from tests.worker.folders import write, write_attempt, write_checkpoint
from worker import inputs
from worker.copying import Copy
from worker.disk import is_fetched
from worker.inputs import bring_inputs

HASH = "ab" * 32


@pytest.fixture
def here(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path / "here", artifacts_url=f"file://{tmp_path}/far")


@pytest.fixture
def there(tmp_path: Path) -> Settings:
    """Another host."""
    return Settings(home=tmp_path / "there", artifacts_url=f"file://{tmp_path}/far")


def _nothing() -> None:
    return


def _copied(settings: Settings, place: str) -> Path:
    """An attempt of a host with all that is there in the store."""
    folder = settings.home / place
    Copy(artifact_store(settings), folder, place).proceed(over=True, pause=_nothing)
    return folder


def _train(settings: Settings, number: int) -> dict[str, Any]:
    directory = settings.runs_directory / "abc" / f"attempt-{number}"
    return bring_inputs(settings, RunKind.TRAINING, {"data": {}}, directory, _nothing)


def _evaluate(settings: Settings, number: int, **config: Any) -> dict[str, Any]:
    directory = settings.runs_directory / "evl" / f"attempt-{number}"
    config = {"sets": [], **config}
    return bring_inputs(settings, RunKind.EVALUATION, config, directory, _nothing)


def _steps(settings: Settings) -> list[str]:
    found = settings.runs_directory.glob("abc/attempt-*/checkpoints/*")
    return sorted(path.relative_to(settings.runs_directory / "abc").as_posix() for path in found)


def test_the_newest_checkpoint_of_the_newest_attempt_comes(here: Settings, there: Settings) -> None:
    for number, steps in ((1, (2, 4)), (2, (6, 8)), (3, ())):
        folder = write_attempt(there.runs_directory / "abc" / f"attempt-{number}")
        for step in steps:
            write_checkpoint(folder, step)
        _copied(there, f"runs/abc/attempt-{number}")
    _train(here, 4)
    assert _steps(here) == ["attempt-2/checkpoints/step-00000008"]
    fetched = here.runs_directory / "abc" / "attempt-2"
    assert (fetched / "checkpoints/step-00000008/state.json").read_text() == "weights 8"
    assert is_fetched(fetched)
    _train(here, 4)
    assert not list(here.home.rglob("*.tmp"))


def test_a_checkpoint_that_is_here_is_taken(here: Settings, there: Settings) -> None:
    write_checkpoint(write_attempt(there.runs_directory / "abc" / "attempt-1"), 2)
    _copied(there, "runs/abc/attempt-1")
    write_checkpoint(write_attempt(here.runs_directory / "abc" / "attempt-2"), 4)
    _train(here, 3)
    assert _steps(here) == ["attempt-2/checkpoints/step-00000004"]


def test_a_checkpoint_that_is_not_whole_in_the_store_is_none(
    here: Settings, there: Settings
) -> None:
    folder = write_attempt(there.runs_directory / "abc" / "attempt-1")
    for step in (2, 4):
        write_checkpoint(folder, step)
    _copied(there, "runs/abc/attempt-1")
    artifact_store(here).delete("runs/abc/attempt-1/checkpoints/step-00000004/manifest.json")
    _train(here, 2)
    assert _steps(here) == ["attempt-1/checkpoints/step-00000002"]
    _train(here.model_copy(update={"home": here.home / "third"}), 1)
    assert not (here.home / "third").exists()


def test_uploaded_data_come_by_their_hash(here: Settings) -> None:
    artifact_store(here).put_bytes(b"rows", f"datasets/ab/{HASH}.jsonl")
    path = here.datasets_directory / "ab" / f"{HASH}.jsonl"
    directory = here.runs_directory / "abc" / "attempt-1"
    config = {"data": {"path": str(path)}}
    assert bring_inputs(here, RunKind.TRAINING, config, directory, _nothing) == config
    assert path.read_bytes() == b"rows"
    other = {"name": "b", "path": str(path.with_name("none.jsonl"))}
    sets = [{"name": "a", "path": "/elsewhere/x.jsonl"}, other, {"name": "c"}]
    assert _evaluate(here, 1, sets=sets)["sets"] == sets


@pytest.mark.parametrize("part", ["adapter", "ema_adapter", "checkpoints/step-00000002"])
def test_weights_come_and_the_configuration_names_them_here(
    here: Settings, there: Settings, part: str
) -> None:
    folder = write_attempt(there.runs_directory / "abc" / "attempt-1")
    write_checkpoint(folder, 2)
    for name in ("adapter", "ema_adapter"):
        write(folder / name / "adapter_model.safetensors", name)
        write(folder / name / "adapter_config.json", "{}")
    _copied(there, "runs/abc/attempt-1")
    shutil.move(there.home, there.home.with_name("gone"))
    for _ in range(2):
        config = _evaluate(here, 1, adapter=str(folder / part))
        assert config["adapter"] == str(here.runs_directory / "abc" / "attempt-1" / part)
        assert len(list(Path(config["adapter"]).iterdir())) == (3 if "step" in part else 2)
    assert _evaluate(here, 1, adapter="/my/own/adapter")["adapter"] == "/my/own/adapter"
    assert _evaluate(here, 1, adapter=None)["adapter"] is None


def test_answers_come_unless_the_attempt_before_was_here(here: Settings, there: Settings) -> None:
    store = artifact_store(here)
    store.put_bytes(b"theirs", "runs/evl/results/own/answers.jsonl")
    answers = here.runs_directory / "evl" / "results" / "own" / "answers.jsonl"
    write_attempt(here.runs_directory / "evl" / "attempt-1")
    write(answers, "mine")
    _evaluate(here, 2)
    assert answers.read_text() == "mine"
    _evaluate(here, 3)
    assert answers.read_text() == "theirs"
    _evaluate(there, 1)
    assert not there.home.exists()


def test_it_waits_for_the_store_and_keeps_the_lease(
    here: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inputs, "_RETRY_SECONDS", 0.01)
    monkeypatch.setattr(inputs, "_ALIVE_SECONDS", 0.0)
    adapter = "/far/away/runs/abc/attempt-1/adapter"
    kept = 0

    def alive() -> None:
        nonlocal kept
        kept += 1
        if kept == 3:  # its worker has copied it by now
            for name in ("adapter_config.json", "adapter_model.safetensors"):
                artifact_store(here).put_bytes(b"1", f"runs/abc/attempt-1/adapter/{name}")

    directory = here.runs_directory / "evl" / "attempt-1"
    config = {"sets": [], "adapter": adapter}
    found = bring_inputs(here, RunKind.EVALUATION, config, directory, alive)
    assert Path(found["adapter"]).is_dir()
    assert kept >= 3


def test_it_gives_up_with_a_remedy(here: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inputs, "_PATIENCE_SECONDS", 0.0)

    def down(*_: object) -> None:
        raise ConnectionError("down")

    monkeypatch.setattr(artifact_store(here)._system, "find", down)
    with pytest.raises(StudioError) as told:
        _train(here, 2)
    assert told.value.problem.code == "artifact_store_unavailable"
    assert "resume" in told.value.problem.remedy


def test_a_lost_lease_ends_it(here: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.storage.store._CHUNK", 1)
    artifact_store(here).put_bytes(b"rows", f"datasets/ab/{HASH}.jsonl")
    path = here.datasets_directory / "ab" / f"{HASH}.jsonl"

    def lost() -> None:
        raise KeyError("lease")

    directory = here.runs_directory / "abc" / "attempt-1"
    with pytest.raises(KeyError):
        bring_inputs(here, RunKind.TRAINING, {"data": {"path": str(path)}}, directory, lost)
    assert list(path.parent.iterdir()) == []


def test_nothing_is_asked_of_a_shared_home_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Store, "list", None)
    shared = Settings(home=tmp_path)
    assert _train(shared, 3) == {"data": {}}
    adapter = "/h/runs/abc/attempt-1/adapter"
    assert _evaluate(shared, 2, adapter=adapter)["adapter"] == adapter
