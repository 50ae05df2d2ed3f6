"""Copies one attempt's folder into the artifact store, piece by piece, as it grows.

What the store holds is asked of the store, once, so that a worker that was killed goes on where it
was. Most files get their name when they are whole; those that grow are copied when nothing was
added for a while, and once more when the attempt is over. A checkpoint's manifest and an adapter's
weights go last: who finds them in the store finds the rest.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final, NamedTuple

from app.storage.deletion import remove_folder
from app.storage.keys import joined
from app.storage.store import Store

LEDGER: Final = "uploaded.json"
"""Says, in an attempt's folder, that all of it is in the store."""
CHECKPOINTS: Final = "checkpoints"
MANIFEST: Final = "manifest.json"
WEIGHTS: Final = "adapter_model.safetensors"
# These grow until the attempt is over.
_AT_THE_END: Final = frozenset({"events.jsonl", "trainer.log"})
_LAST_OF_ITS_FOLDER: Final = frozenset({MANIFEST, WEIGHTS})
_GROWING: Final = ".jsonl"
_QUIET_SECONDS: Final = 5.0
_HELD: Final = ".held.tmp"


class _State(NamedTuple):
    """A file as it was when it was copied; the time is not known of what was found in the store."""

    size: int
    modified: int | None


_NOT_THIS: Final = _State(-1, None)


class Copy:
    """A folder on this host and its copy in the store.

    Args:
        store: where to.
        folder: what is copied, without what has a name that begins with a dot.
        key: the copy's place in the store.
        trusted: whether a file in the store is taken for the same as one here of the same size.
    """

    def __init__(self, store: Store, folder: Path, key: str, *, trusted: bool = True) -> None:
        self._store = store
        self._folder = folder
        self._key = key
        self._trusted = trusted
        self._copied: dict[str, _State] | None = None

    def proceed(self, *, over: bool, pause: Callable[[], None]) -> None:
        """Copy what can be copied now; after one that is `over`, all of it is in the store.

        Args:
            over: whether nobody writes to the folder any more.
            pause: called before each file; ends the copying by what it raises.

        Raises:
            StoreError: the store does not take files; call again.
            OSError: a file here cannot be read.
        """
        copied = self._known()
        for name in sorted(_files(self._folder), key=_order):
            pause()
            path = self._folder / name
            if _settled(path, over=over):
                self._send(path, name)
        for step in self._checkpoints():
            self._send_checkpoint(step, pause)
        self._prune(copied)

    def total(self) -> _State:
        """Files and bytes that were copied, as (bytes, files)."""
        copied = self._known()
        return _State(sum(state.size for state in copied.values()), len(copied))

    def _known(self) -> dict[str, _State]:
        if self._copied is None:
            self._store.sweep(self._key)
            found = self._store.list(self._key) if self._trusted else {}
            start = len(self._key) + 1
            self._copied = {key[start:]: _State(one.size, None) for key, one in found.items()}
            # The trainer may have written the same step anew: a checkpoint is copied in one go.
            for name in _half_copied(self._copied):
                self._copied[name] = _NOT_THIS
        return self._copied

    def _send(self, path: Path, name: str) -> None:
        copied = self._known()
        try:
            state = path.stat()
            known = copied.get(name)
            if (
                known
                and known.size == state.st_size
                and known.modified in {None, state.st_mtime_ns}
            ):
                return
            self._store.put(path, joined(self._key, name))
        except FileNotFoundError:  # the trainer removed it meanwhile
            return
        copied[name] = _State(state.st_size, state.st_mtime_ns)

    def _checkpoints(self) -> list[str]:
        """Names of the whole checkpoints here, newest first."""
        found = self._folder.glob(f"{CHECKPOINTS}/step-*/{MANIFEST}")
        return sorted((path.parent.name for path in found), reverse=True)

    def _send_checkpoint(self, step: str, pause: Callable[[], None]) -> None:
        """Copy a checkpoint under links, so that it stays while the trainer replaces it."""
        if f"{CHECKPOINTS}/{step}/{MANIFEST}" in self._known():
            return
        source, held = self._folder / CHECKPOINTS / step, self._folder / _HELD
        remove_folder(held)
        try:
            held.mkdir()
            for file in source.iterdir():
                os.link(file, held / file.name)
            for file in sorted(held.iterdir(), key=lambda file: _order(file.name)):
                pause()
                self._send(file, f"{CHECKPOINTS}/{step}/{file.name}")
        except FileNotFoundError:
            return
        finally:
            remove_folder(held)

    def _prune(self, copied: dict[str, _State]) -> None:
        """Remove from the store the checkpoints that the trainer removed here."""
        here = set(self._checkpoints())
        if not here or not all(f"{CHECKPOINTS}/{step}/{MANIFEST}" in copied for step in here):
            return
        gone = [
            name
            for name in copied
            if name.startswith(f"{CHECKPOINTS}/") and name.split("/")[1] not in here
        ]
        # The manifest first: what is left is no checkpoint.
        for name in sorted(gone, key=lambda name: not name.endswith(f"/{MANIFEST}")):
            self._store.delete(joined(self._key, name))
            del copied[name]


def _half_copied(copied: dict[str, _State]) -> list[str]:
    """Files of checkpoints whose manifest is not among them."""
    steps = [name for name in copied if name.startswith(f"{CHECKPOINTS}/")]
    return [name for name in steps if f"{name.rpartition('/')[0]}/{MANIFEST}" not in copied]


def _files(folder: Path) -> Iterator[str]:
    """Files below a folder that are to be copied one by one, relative to it."""
    for root, folders, names in os.walk(folder):
        inside = Path(root).relative_to(folder).as_posix()
        folders[:] = [
            name
            for name in folders
            if not name.startswith(".") and (inside, name) != (".", CHECKPOINTS)
        ]
        for name in names:
            if not name.startswith(".") and (inside, name) != (".", LEDGER):
                yield name if inside == "." else f"{inside}/{name}"


def _order(name: str) -> tuple[str, bool, str]:
    folder, _, last = name.rpartition("/")
    return folder, last in _LAST_OF_ITS_FOLDER, last


def _settled(path: Path, *, over: bool) -> bool:
    if over:
        return True
    if path.name in _AT_THE_END:
        return False
    try:
        return path.suffix != _GROWING or path.stat().st_mtime < time.time() - _QUIET_SECONDS
    except FileNotFoundError:
        return False


def is_whole(folder: Path) -> bool:
    """Whether an attempt's folder says that all of it is in the store."""
    return (folder / LEDGER).is_file()


def write_ledger(folder: Path, copied: _State) -> None:
    """Note in an attempt's folder that all of it is in the store."""
    temporary = folder / f".{LEDGER}.tmp"
    temporary.write_text(json.dumps({"bytes": copied.size, "files": copied.modified}))
    temporary.replace(folder / LEDGER)
