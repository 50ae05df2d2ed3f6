"""What the store promises, of every kind of it, and that its keys lead nowhere else."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.settings import Settings
from app.storage import keys
from app.storage.deletion import delete_run_files
from app.storage.store import Store, StoreError, artifact_store


@pytest.fixture
def store(plain: Settings) -> Store:
    return artifact_store(plain)


def _file(tmp_path: Path, content: bytes = b"content") -> Path:
    path = tmp_path / "source"
    path.write_bytes(content)
    return path


def test_a_file_comes_back_as_it_was_put(store: Store, tmp_path: Path) -> None:
    assert store.find("runs/a/x.bin") is None
    assert store.list("runs/a") == {}
    store.put(_file(tmp_path), "runs/a/deep/x.bin")
    store.put_bytes(b"", "runs/a/empty")
    assert store.read("runs/a/deep/x.bin") == b"content"
    found = store.list("runs/a")
    assert {key: one.size for key, one in found.items()} == {
        "runs/a/deep/x.bin": 7,
        "runs/a/empty": 0,
    }
    assert not store.exists("runs/a/deep")
    store.fetch("runs/a/deep/x.bin", tmp_path / "there" / "x.bin")
    assert (tmp_path / "there" / "x.bin").read_bytes() == b"content"


def test_a_file_that_is_put_again_replaces_the_first(store: Store, tmp_path: Path) -> None:
    store.put(_file(tmp_path), "a")
    first = store.find("a")
    store.put(_file(tmp_path, b"other!!"), "a")
    assert store.read("a") == b"other!!"
    assert store.find("a") != first


def test_deleting_can_be_repeated(store: Store) -> None:
    store.put_bytes(b"1", "runs/a/b/c")
    store.put_bytes(b"1", "runs/ab")
    for _ in range(2):
        store.delete_tree("runs/a")
        store.delete("runs/none")
    assert list(store.list("runs")) == ["runs/ab"]


def test_what_is_not_there_is_told_as_such(store: Store, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        store.read("none")
    with pytest.raises(FileNotFoundError):
        store.fetch("none", tmp_path / "none")
    with pytest.raises(FileNotFoundError):
        store.put(tmp_path / "gone", "key")
    assert store.list("key") == {}
    assert not list(tmp_path.glob("**/*.tmp"))


def test_a_put_that_breaks_off_leaves_nothing(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.put_bytes(b"before", "runs/a/x")

    def break_off(_source: str, path: str) -> None:
        if path.endswith(".tmp"):  # object stores write nothing before all of it has come
            store._system.pipe_file(path, b"half")
        raise ConnectionResetError("cable")

    monkeypatch.setattr(store._system, "put_file", break_off)
    with pytest.raises(StoreError, match=r"runs/a/x.*cable"):
        store.put(_file(tmp_path), "runs/a/x")
    monkeypatch.undo()
    assert store.read("runs/a/x") == b"before"
    assert list(store._all("runs/a")) == ["runs/a/x"]


def test_what_a_killed_writer_left_is_not_listed_and_swept(store: Store) -> None:
    store._system.makedirs(f"{store._root}/runs/a", exist_ok=True)
    store._system.pipe_file(f"{store._root}/runs/a/.x.0badcafe.tmp", b"half")
    store.put_bytes(b"", "runs/a/y")
    assert list(store.list("runs/a")) == ["runs/a/y"]
    store.sweep("runs/a")
    assert list(store._all("runs/a")) == ["runs/a/y"]


def test_names_that_lead_elsewhere_are_not_listed(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = ("a/../../x", "a//x", "a/x\ny", "a/x")
    found = {f"{store._root}/{name}": {"size": 0} for name in names}
    monkeypatch.setattr(store._system, "find", lambda *_, **__: found)
    assert list(store.list("a")) == ["a/x"]


def test_a_fetch_that_breaks_off_leaves_nothing(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.put_bytes(b"12345678", "a")
    monkeypatch.setattr("app.storage.store._CHUNK", 4)

    def leave() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        store.fetch("a", tmp_path / "into" / "a", leave)
    assert list((tmp_path / "into").iterdir()) == []


def test_a_store_that_cannot_be_is_told(tmp_path: Path) -> None:
    wrong = Settings(home=tmp_path, artifacts_url="nosuch://x")
    with pytest.raises(StoreError, match="UNISD_ARTIFACTS_URL"):
        artifact_store(wrong)


def test_the_home_folder_by_its_url_is_the_home_folder(tmp_path: Path) -> None:
    assert artifact_store(Settings(home=tmp_path)).is_home
    assert artifact_store(Settings(home=tmp_path, artifacts_url=f"file://{tmp_path}/")).is_home
    assert not artifact_store(Settings(home=tmp_path, artifacts_url="memory://x")).is_home


@given(st.text(max_size=30) | st.sampled_from(["../x", "a/../../b", "/etc/passwd", "a//b", "a/."]))
def test_a_key_stays_below_the_root(key: str) -> None:
    root = Path("/root/of/store")
    try:
        keys.checked(key)
    except ValueError:
        return
    path = Path(f"{root}/{key}")
    assert path.is_relative_to(root)
    assert ".." not in path.parts
    assert path != root


@given(st.text(max_size=20))
def test_only_identifiers_name_runs(text: str) -> None:
    if text.isascii() and text.isalnum() and text == text.lower():
        assert keys.attempt_key(text, 1) == f"runs/{text}/attempt-1"
    else:
        with pytest.raises(ValueError, match="identifier"):
            keys.attempt_key(text, 1)


@pytest.mark.parametrize(
    ("path", "key"),
    [
        ("/any/home/runs/abc/attempt-2/adapter", "runs/abc/attempt-2/adapter"),
        ("/h/runs/abc/attempt-1/adapter/", "runs/abc/attempt-1/adapter"),
        ("/h/runs/abc/attempt-1/checkpoints/step-00000005", "="),
        ("/h/runs/abc/attempt-1/ema_adapter", "="),
        ("/h/runs/abc/attempt-1/adapter/more", None),
        ("/h/runs/../attempt-1/adapter", None),
        ("org/model", None),
    ],
)
def test_weights_are_found_by_another_hosts_path(path: str, key: str | None) -> None:
    expected = path.removeprefix("/h/") if key == "=" else key
    assert keys.key_of_weights(path) == expected


def test_results_lie_beside_the_attempts_or_inside() -> None:
    directory = "/w/runs/abc/attempt-1"
    inside = keys.key_of_results("abc", directory, "evaluations/own/step-5")
    assert inside == "runs/abc/attempt-1/evaluations/own/step-5"
    beside = keys.key_of_results("abc", directory, "/w/runs/abc/results/own")
    assert beside == "runs/abc/results/own"
    with pytest.raises(ValueError, match="subpath"):
        keys.key_of_results("abc", directory, "/etc")


def test_a_deleted_run_is_gone_everywhere_and_stays_so(plain: Settings) -> None:
    store = artifact_store(plain)
    local = plain.runs_directory / "abc" / "attempt-1"
    cached = plain.artifact_cache_directory / "runs" / "abc"
    for folder in (local, cached):
        folder.mkdir(parents=True)
        (folder / "file").touch()
    store.put_bytes(b"1", "runs/abc/attempt-1/file")
    store.put_bytes(b"1", "runs/abd/attempt-1/file")
    for _ in range(2):
        delete_run_files(plain, "abc")
        assert not local.parent.exists()
        assert not cached.exists()
        assert [key for key in store.list("runs") if "cache" not in key] == [
            "runs/abd/attempt-1/file"
        ]
    assert store.exists("deleted/runs/abc") is not store.is_home
    with pytest.raises(ValueError, match="identifier"):
        delete_run_files(plain, "../abd")


def test_deleting_goes_on_where_it_was_cut_off(
    remote: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = artifact_store(remote)
    (remote.runs_directory / "abc").mkdir(parents=True)
    store.put_bytes(b"1", "runs/abc/x")

    def fail(*_: object, **__: object) -> None:
        raise ConnectionError("down")

    with monkeypatch.context() as patch:
        patch.setattr(store._system, "rm", fail)
        with pytest.raises(StoreError, match="down"):
            delete_run_files(remote, "abc")
    delete_run_files(remote, "abc")
    assert store.list("runs") == {}
    assert not (remote.runs_directory / "abc").exists()
