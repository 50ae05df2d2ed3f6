"""The worker's copying: what is over, whose it is, what is deleted, and how it waits."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from app.db import Database
from app.models import Attempt, Project, Run
from app.models.base import utc_now
from app.settings import Settings
from app.storage.deletion import delete_run_files
from app.storage.store import Store, StoreError, artifact_store
from core.states import RunStatus
from tests.worker.folders import write, write_attempt
from worker import disk, uploads
from worker.disk import disk_warnings
from worker.uploads import Uploads

Begin = Callable[..., Path]
Work = Callable[..., Uploads]


@pytest.fixture
def remote(settings: Settings, tmp_path: Path) -> Settings:
    return settings.model_copy(update={"artifacts_url": f"file://{tmp_path}/far"})


@pytest.fixture
def store(remote: Settings) -> Store:
    return artifact_store(remote)


@pytest.fixture
def work(database: Database, remote: Settings) -> Iterator[Work]:
    """Makes workers' copying; the process that had the lock before is gone by then."""
    made: list[Uploads] = []

    def work(database: Database = database, settings: Settings = remote) -> Uploads:
        for worker in made:
            worker.stop()
        made.append(Uploads(database, settings))
        return made[-1]

    yield work
    for worker in made:
        worker.stop()


@pytest.fixture
def begin(database: Database, remote: Settings) -> Begin:
    """Begins an attempt of a run, as a worker of this host would."""

    def begin(run_id: str, number: int = 1, *, here: bool = True) -> Path:
        folder = remote.runs_directory / run_id / f"attempt-{number}"
        with database.write() as session:
            run = session.get(Run, run_id)
            if run is None:
                project = Project(name=run_id)
                session.add(project)
                session.flush()
                run = Run(id=run_id, project_id=project.id, name="r", config={})
                session.add(run)
            run.status, run.attempt_count = RunStatus.RUNNING, number
            session.flush()
            attempt = Attempt(run_id=run_id, number=number, hostname="h", directory=str(folder))
            session.add(attempt)
        return write_attempt(folder) if here else folder

    return begin


def _end(database: Database, run_id: str) -> None:
    with database.write() as session:
        session.get_one(Run, run_id).status = RunStatus.SUCCEEDED
        for attempt in session.query(Attempt).filter_by(run_id=run_id):
            attempt.ended_at, attempt.drained = utc_now(), True


def test_an_attempt_is_whole_when_it_is_over_and_all_of_it_is_there(
    database: Database, remote: Settings, store: Store, begin: Begin, work: Work
) -> None:
    folder = begin("abc")
    worker = work()
    worker.copy_once()
    assert "runs/abc/attempt-1/run.yaml" in store.list("runs")
    assert "runs/abc/attempt-1/events.jsonl" not in store.list("runs")
    assert not (folder / "uploaded.json").exists()
    _end(database, "abc")
    write(folder.parent / "results" / "own" / "answers.jsonl", "{}\n")
    worker.copy_once()
    assert (folder / "uploaded.json").is_file()
    assert set(store.list("runs")) == {
        f"runs/abc/{path.relative_to(folder.parent).as_posix()}"
        for path in folder.parent.rglob("*")
        if path.is_file() and path.name != "uploaded.json"
    }


def test_one_process_copies_for_all_of_a_home_folder_and_another_takes_over(
    database: Database, remote: Settings, store: Store, begin: Begin, work: Work
) -> None:
    first, second = Uploads(database, remote), work()
    begin("abc")
    assert first.copy_once()
    begin("abd")
    assert not second.copy_once()
    assert not [key for key in store.list("runs") if "abd" in key]
    first.stop()
    assert second.copy_once()
    assert [key for key in store.list("runs") if "abd" in key]


def test_the_answers_are_those_of_the_attempt_begun_last_wherever_it_is(
    database: Database, remote: Settings, store: Store, begin: Begin, work: Work
) -> None:
    begin("abc", 1)
    answers = write(remote.runs_directory / "abc" / "results" / "own" / "answers.jsonl", "old\n")
    begin("abc", 2, here=False)
    store.put_bytes(b"new\n", "runs/abc/results/own/answers.jsonl")
    _end(database, "abc")
    work().copy_once()
    assert store.read("runs/abc/results/own/answers.jsonl") == b"new\n"
    begin("abc", 3)
    write(answers, "newest\n")
    _end(database, "abc")
    work().copy_once()
    assert store.read("runs/abc/results/own/answers.jsonl") == b"newest\n"


def test_a_deleted_run_is_not_copied_and_leaves_this_host(
    database: Database, remote: Settings, store: Store, begin: Begin, work: Work, tmp_path: Path
) -> None:
    folder, other = begin("abc"), begin("abd")
    worker = work()
    worker.copy_once()
    _end(database, "abc")
    elsewhere = remote.model_copy(update={"home": tmp_path / "api"})
    delete_run_files(elsewhere, "abc")
    worker.copy_once()
    assert not folder.parent.exists()
    assert not [key for key in store.list("runs") if "abc" in key]
    begin("abe")
    delete_run_files(elsewhere, "abe")
    work().copy_once()
    assert [path.name for path in remote.runs_directory.iterdir()] == ["abd"]
    assert other.is_dir()


def test_a_deleted_data_file_leaves_this_host_unless_it_came_again(
    remote: Settings, store: Store, work: Work
) -> None:
    gone = write(remote.datasets_directory / "ab" / "ab.jsonl")
    back = write(remote.datasets_directory / "cd" / "cd.jsonl")
    for name in ("ab/ab.jsonl", "cd/cd.jsonl"):
        store.put_bytes(b"", f"deleted/datasets/{name}")
    store.put_bytes(b"content", "datasets/cd/cd.jsonl")
    work().copy_once()
    assert (gone.exists(), back.exists()) == (False, True)


def test_without_the_database_nothing_is_over(
    remote: Settings, store: Store, begin: Begin, work: Work
) -> None:
    folder = begin("abc")
    work(Database("sqlite:////no/such/folder/x.sqlite")).copy_once()
    assert "runs/abc/attempt-1/run.yaml" in store.list("runs")
    assert not (folder / "uploaded.json").exists()


def test_a_folder_that_cannot_be_read_does_not_hold_the_others_up(
    database: Database,
    remote: Settings,
    store: Store,
    begin: Begin,
    work: Work,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for run_id in ("abc", "abd"):
        begin(run_id)
    proceed = uploads.Copy.proceed

    def broken(copy: uploads.Copy, **more: object) -> None:
        if "abd" in copy._key:
            raise PermissionError(13, "Permission denied")
        proceed(copy, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(uploads.Copy, "proceed", broken)
    with pytest.raises(PermissionError):
        work().copy_once()
    assert [key for key in store.list("runs") if "abc" in key]


def test_the_thread_waits_for_the_store_and_tells_it(
    database: Database,
    remote: Settings,
    store: Store,
    begin: Begin,
    work: Work,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(uploads, "_ROUND_SECONDS", 0.01)
    monkeypatch.setattr(uploads, "_LONGEST_PAUSE_SECONDS", 0.05)
    monkeypatch.setattr(disk, "free_bytes", lambda _: 2**60)

    def find(*_: object, **__: object) -> object:
        raise ConnectionError("down")

    begin("abc")
    with monkeypatch.context() as patch:
        patch.setattr(store._system, "find", find)
        worker = work()
        worker.start()
        _wait(lambda: bool(disk_warnings(remote)))
        (told,) = disk_warnings(remote)
        assert told.code == "artifact_store_failing"
        assert "down" in told.message
        # Killed while it failed: the next one knows nothing of that.
        worker._thread.join(0)
        noted = remote.home.joinpath("uploads.json").read_bytes()
        worker.stop()
    remote.home.joinpath("uploads.json").write_bytes(noted)
    worker = work()
    worker.start()
    _wait(lambda: store.exists("runs/abc/attempt-1/run.yaml"))
    _wait(lambda: disk_warnings(remote) == [])
    _end(database, "abc")
    worker.stop()
    assert not worker._thread.is_alive()
    assert store.exists("runs/abc/attempt-1/events.jsonl")


def test_a_worker_that_leaves_does_not_wait_for_a_slow_store(
    database: Database, remote: Settings, begin: Begin, work: Work, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(uploads, "_LAST_ROUND_SECONDS", 0.2)
    monkeypatch.setattr(Store, "put", lambda *_: time.sleep(0.15))
    for number in range(30):
        begin(f"abc{number}")
    worker = work()
    worker.start()
    began = time.monotonic()
    worker.stop()
    assert time.monotonic() - began < 5
    worker._thread.join(5)
    assert not worker._thread.is_alive()


def test_nothing_is_copied_where_the_store_is_the_home_folder(
    settings: Settings, work: Work
) -> None:
    worker = work(settings=settings)
    worker.start()
    assert not worker._thread.is_alive()
    worker.stop()
    assert not settings.home.joinpath("uploads.lock").exists()


class TestDisk:
    """What leaves a host whose disk runs low."""

    @pytest.fixture
    def free(self, monkeypatch: pytest.MonkeyPatch, remote: Settings) -> None:
        """Each attempt's folder takes a GiB of six."""

        def free_bytes(settings: Settings) -> int:
            held = len(list(settings.runs_directory.glob("*/attempt-*")))
            return (6 - held) * 2**30

        monkeypatch.setattr(disk, "free_bytes", free_bytes)

    @pytest.fixture
    def three(self, database: Database, begin: Begin, work: Work, remote: Settings) -> list[Path]:
        """Three runs: two are over and whole, oldest first; one goes on."""
        folders = [begin(f"abc{number}") for number in range(3)]
        write(folders[0].parent / "results" / "own" / "answers.jsonl")
        for number, folder in enumerate(folders[:2]):
            _end(database, f"abc{number}")
            Uploads(database, remote)._copy(
                artifact_store(remote), folder, uploads._Attempt(True, True, True)
            )
        return folders

    def test_the_oldest_that_are_over_go_first_and_only_as_many_as_needed(
        self, three: list[Path], remote: Settings, free: None
    ) -> None:
        kept = remote.model_copy(update={"disk_reserve_bytes": 4 * 2**30})
        disk.reclaim(kept, lambda _: True)
        assert [folder.exists() for folder in three] == [False, True, True]
        assert not three[0].parent.exists()
        assert disk_warnings(kept) == []

    def test_what_is_not_over_stays_and_a_warning_is_given(
        self, three: list[Path], remote: Settings, free: None
    ) -> None:
        kept = remote.model_copy(update={"disk_reserve_bytes": 100 * 2**30})
        disk.reclaim(kept, lambda _: True)
        assert [folder.exists() for folder in three] == [False, False, True]
        assert [told.code for told in disk_warnings(kept)] == ["disk_low"]

    def test_what_a_trainer_is_about_to_read_stays(
        self, three: list[Path], remote: Settings, free: None
    ) -> None:
        disk.mark_used(three[0])
        kept = remote.model_copy(update={"disk_reserve_bytes": 4 * 2**30})
        disk.reclaim(kept, lambda _: True)
        assert [folder.exists() for folder in three] == [True, False, True]

    def test_where_files_are_not_kept_they_go_with_their_runs_end(
        self, three: list[Path], remote: Settings, free: None
    ) -> None:
        kept = remote.model_copy(update={"keep_local_runs": False, "disk_reserve_bytes": 0})
        disk.reclaim(kept, lambda folder: folder == three[1])
        assert [folder.exists() for folder in three] == [True, False, True]

    def test_a_shared_home_folder_is_only_warned_of(
        self, three: list[Path], settings: Settings, free: None
    ) -> None:
        full = settings.model_copy(update={"disk_reserve_bytes": 100 * 2**30})
        (told,) = disk_warnings(full)
        assert told.code == "disk_low"
        assert "Delete runs" in told.remedy
        assert all(folder.exists() for folder in three)


def test_a_store_that_cannot_be_is_warned_of(settings: Settings) -> None:
    wrong = settings.model_copy(update={"artifacts_url": "nosuch://x"})
    assert [told.code for told in disk_warnings(wrong)] == ["artifact_store_failing"]
    with pytest.raises(StoreError):
        artifact_store(wrong)


def _wait(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.01)
