"""Runs programs in the sandbox, one or many side by side."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import selectors
import shutil
import signal
import subprocess
import sys
import sysconfig
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from pathlib import Path
from typing import Any, Final, NamedTuple, Self

from worker.trainer.failures import mistake
from worker.trainer.sandbox.types import Isolation, Limits, Outcome, Status

KEPT: Final = 4096
"""Bytes of output that are kept, from its end."""
STARTING: Final = 2.0
"""Seconds that the walls and the interpreter may take beyond the program's own."""
UNSTARTED: Final = "never began"
"""Error of a program whose interpreter did not come up: the walls failed, not the program."""
SYSTEM: Final = ("/usr", "/lib", "/lib32", "/lib64", "/libx32", "/bin", "/etc/ld.so.cache")
FIRST_USER, USERS = 60_000, 5_000
"""User numbers that nobody has; each program gets another, so that their limits are their own."""


def run_program(
    source: str, limits: Limits | None = None, minimum: Isolation = Isolation.NAMESPACES
) -> Outcome:
    """Run a program to its last statement, or until it raises or breaks a limit.

    Args:
        source: Python.
        limits: what it may use.
        minimum: it is not run at all where less isolation than this can be reached.

    Raises:
        StudioError: `isolation_unavailable`.
    """
    return run_at(require(minimum), source, limits or Limits())


def require(minimum: Isolation) -> Isolation:
    """The level that programs are run at here.

    Raises:
        StudioError: `isolation_unavailable` if that is less than `minimum`.
    """
    level = reached()
    if level < minimum or not works(level):
        raise _unavailable(minimum)
    return level


def run_many(
    sources: Sequence[str],
    limits: Limits | None = None,
    minimum: Isolation = Isolation.NAMESPACES,
    workers: int | None = None,
) -> list[Outcome]:
    """Run programs side by side.

    Args:
        sources: programs.
        limits: of each.
        minimum: as in `run_program`.
        workers: how many at a time; None for the number of processors.

    Returns:
        Outcomes in the order of the programs.
    """
    with ThreadPoolExecutor(workers or len(os.sched_getaffinity(0))) as pool:
        return list(pool.map(lambda source: run_program(source, limits, minimum), sources))


@lru_cache(maxsize=1)
def reached() -> Isolation:
    """The highest level that works on this host, found out by trying."""
    return max((level for level in Isolation if works(level)), default=Isolation.RLIMITS)


@lru_cache(maxsize=8)
def works(level: Isolation) -> bool:
    """Whether a program can be run at a level here."""
    return not _why_not(level)


@lru_cache(maxsize=8)
def _why_not(level: Isolation) -> str:
    """What keeps a level from being reached; empty if nothing does."""
    if sys.platform == "win32":
        return "this needs a Unix"
    if level > Isolation.RLIMITS and not sys.platform.startswith("linux"):
        return "namespaces are of Linux"
    if level is Isolation.RLIMITS and os.geteuid() == 0 and not _readable_by_others():
        return f"Python in {sys.base_prefix} cannot be read by another user than root"
    if level is Isolation.BUBBLEWRAP and shutil.which("bwrap") is None:
        return "bubblewrap (bwrap) is not installed"
    with _started(level, "", Limits()) as running:
        outcome, failure = _watch(running, level, Limits())
    return "" if outcome.passed else failure or outcome.stderr or "a trial program failed"


def run_at(level: Isolation, source: str, limits: Limits) -> Outcome:
    """Run a program at exactly this level."""
    with _started(level, source, limits) as running:
        outcome, failure = _watch(running, level, limits)
    if failure or outcome.error == UNSTARTED:
        reason = failure or outcome.stderr.strip()[-300:] or "the program never began"
        raise mistake(
            "isolation_unavailable",
            f"The sandbox could not be set up ({level.label}): {reason}.",
            "See docs/evaluation.md; a container may need to allow user namespaces.",
            field="evaluation.minimum_isolation",
        )
    return outcome


def _readable_by_others() -> bool:
    """Whether a user that root becomes can start Python. As root, no program is run."""
    folders = [*Path(_python()).parents, *Path(sys.base_prefix).parents, Path(sys.base_prefix)]
    return all(folder.stat().st_mode & 0o001 for folder in folders)


class _Running(NamedTuple):
    """A jail with the ends of its pipes that are ours."""

    process: subprocess.Popen[bytes]
    verdict: int
    failure: int
    token: bytes
    begun: float


@contextlib.contextmanager
def _started(level: Isolation, source: str, limits: Limits) -> Iterator[_Running]:
    token = secrets.token_hex(16).encode()
    with _folder() as folder, _user() as user, _Pipes() as pipes:
        Path(folder).chmod(0o777)
        settings = _settings(level, limits, folder) | pipes.theirs() | {"user": user}
        with tempfile.TemporaryFile() as text:
            text.write(source.encode("utf-8", "surrogatepass"))
            text.seek(0)
            os.dup2(text.fileno(), pipes.source, inheritable=False)
        os.write(pipes.token_in, token)
        before = _bubblewrap(limits) if level is Isolation.BUBBLEWRAP else []
        begun = time.monotonic()
        process = subprocess.Popen(  # noqa: S603 - our own script
            [*before, _python(), "-I", "-S", "-B", "-c", _jail(), json.dumps(settings)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            pass_fds=list(pipes.theirs().values()),
            start_new_session=True,
            env={},
            cwd=folder,
        )
        pipes.close_theirs()
        try:
            yield _Running(process, pipes.verdict_out, pipes.failure_out, token, begun)
        finally:
            _end(process)


@contextlib.contextmanager
def _folder() -> Iterator[str]:
    """A folder that is gone afterwards, whatever the program made in it."""
    folder = tempfile.mkdtemp(prefix="unisd-sandbox-")
    try:
        yield folder
    finally:
        try:
            shutil.rmtree(folder, ignore_errors=True)
        except RecursionError:  # folders in folders in folders
            subprocess.run(["/bin/rm", "-rf", folder], check=False)  # noqa: S603


_USERS_IN_USE: Final[set[int]] = set()
_USERS_LOCK: Final = threading.Lock()


@contextlib.contextmanager
def _user() -> Iterator[int | None]:
    """A user number that no other program has now; None where only root could become it."""
    if os.geteuid() != 0:
        yield None
        return
    with _USERS_LOCK:
        free = next(
            number
            for number in (FIRST_USER + secrets.randbelow(USERS) for _ in iter(int, 1))
            if number not in _USERS_IN_USE
        )
        _USERS_IN_USE.add(free)
    try:
        yield free
    finally:
        with _USERS_LOCK:
            _USERS_IN_USE.discard(free)


class _Pipes:
    """The ways between the program and us."""

    def __init__(self) -> None:
        self.source = os.open(os.devnull, os.O_RDONLY)
        self.token, self.token_in = os.pipe()
        self.verdict_out, self.verdict = os.pipe()
        self.failure_out, self.failure = os.pipe()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close_theirs()
        for descriptor in (self.token_in, self.verdict_out, self.failure_out):
            os.close(descriptor)

    def theirs(self) -> dict[str, int]:
        names = ("source", "token", "verdict", "failure")
        return {name: getattr(self, name) for name in names}

    def close_theirs(self) -> None:
        for name in self.theirs():
            descriptor = getattr(self, name)
            if descriptor >= 0:
                os.close(descriptor)
                setattr(self, name, -1)


def _settings(level: Isolation, limits: Limits, folder: str) -> dict[str, Any]:
    return {
        "seconds": limits.seconds,
        "memory": limits.memory,
        "disk": limits.disk,
        "processes": limits.processes,
        "open_files": limits.open_files,
        "python": _python(),
        "folder": "/work" if level is Isolation.BUBBLEWRAP else folder,
        "root": folder if level is Isolation.NAMESPACES else None,
        "visible": _visible(),
        "hidden": _hidden(),
    }


@lru_cache(maxsize=1)
def _jail() -> str:
    return Path(__file__).with_name("jail.py").read_text(encoding="utf-8")


@lru_cache(maxsize=1)
def _python() -> str:
    return str(Path(sys.executable).resolve())


@lru_cache(maxsize=1)
def _visible() -> list[str]:
    """Files of the host that Python needs."""
    paths = [*SYSTEM]
    for path in (sys.base_prefix, _python()):
        if not any(Path(path).is_relative_to(known) for known in paths):
            paths.append(path)
    return paths


@lru_cache(maxsize=1)
def _hidden() -> list[str]:
    """Folders below the visible ones that are none of the program's business."""
    project = Path(__file__).resolve().parents[3]
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    library = sysconfig.get_path("stdlib")
    candidates = [
        str(project),
        f"{library}/site-packages",
        f"{library}/dist-packages",
        f"{sys.base_prefix}/lib/{version}/site-packages",
        *(
            f"{base}/lib/{name}/dist-packages"
            for base in ("/usr", "/usr/local")
            for name in ("python3", version)
        ),
        *(f"{base}/lib/{version}/site-packages" for base in ("/usr", "/usr/local")),
        "/usr/local/src",
        "/usr/src",
    ]
    return [path for path in dict.fromkeys(candidates) if Path(path).is_dir()]


def _bubblewrap(limits: Limits) -> list[str]:
    command = [shutil.which("bwrap") or "bwrap", "--die-with-parent", "--new-session"]
    if os.geteuid() == 0:
        # No user namespace: in it, root could not become the user that the limits are counted for.
        command += ["--unshare-ipc", "--unshare-pid", "--unshare-net", "--unshare-uts"]
        command += ["--unshare-cgroup-try", "--cap-drop", "ALL"]
        command += ["--cap-add", "CAP_SETUID", "--cap-add", "CAP_SETGID"]
    else:
        command += ["--unshare-all"]
    for path in _visible():
        for parent in list(Path(path).parents)[-2::-1]:
            # Bubblewrap makes folders that only their owner may enter.
            command += ["--perms", "0755", "--dir", str(parent)]
        if Path(path).is_symlink():
            command += ["--symlink", str(Path(path).readlink()), path]
        elif Path(path).exists():
            command += ["--ro-bind", path, path]
    for path in _hidden():
        if any(Path(path).is_relative_to(visible) for visible in _visible()):
            command += ["--tmpfs", path, "--remount-ro", path]
    # Its /dev/shm would be memory without a limit.
    command += ["--dev", "/dev", "--remount-ro", "/dev"]
    command += ["--size", str(limits.disk), "--tmpfs", "/work", "--chdir", "/work"]
    return [*command, "--chmod", "0777", "/work", "--remount-ro", "/", "--"]


def _watch(running: _Running, level: Isolation, limits: Limits) -> tuple[Outcome, str]:
    """Read what it says until it ends or has to be ended."""
    process = running.process
    deadline = running.begun + limits.seconds + STARTING
    ends = {process.stdout: bytearray(), process.stderr: bytearray()}
    printed = 0
    status: Status | None = None
    with selectors.DefaultSelector() as selector:
        for stream in ends:
            assert stream is not None  # noqa: S101 - both were asked for
            selector.register(stream, selectors.EVENT_READ)
        while selector.get_map() and status is None:
            left = deadline - time.monotonic()
            if left <= 0:
                status = Status.TIMEOUT
            ended = process.poll() is not None
            ready = selector.select(0.0 if ended else max(0.0, min(left, 0.1)))
            if ended and not ready:
                break  # somebody else holds the other end, a fork of this process perhaps
            for key, _ in ready:
                chunk = os.read(key.fd, 65_536)
                if not chunk:
                    selector.unregister(key.fileobj)
                    continue
                printed += len(chunk)
                kept = ends[key.fileobj]  # type: ignore[index]  # the streams registered above
                kept += chunk
                del kept[:-KEPT]
            if printed > limits.output:
                status = Status.OUTPUT
    if status is None:
        try:
            process.wait(max(0.0, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            status = Status.TIMEOUT
    _end(process)
    out, err = (bytes(kept).decode("utf-8", "replace") for kept in ends.values())
    spent = time.monotonic() - running.begun
    status, error = _verdict(running, status, err, (spent, limits.seconds))
    failure = _read(running.failure).decode("utf-8", "replace")
    return Outcome(status, level, error, spent, out, err), failure


def _verdict(
    running: _Running, status: Status | None, err: str, times: tuple[float, float]
) -> tuple[Status, str | None]:
    begun, said = _said(running)
    if status is not None:
        return status, {"timeout": "too slow", "output": "printed too much"}[status]
    if said == running.token:
        return Status.PASSED, None
    if said.startswith(b"!"):
        name = said[1:].decode("utf-8", "replace")
        return (Status.MEMORY if name == "MemoryError" else Status.FAILED), name
    if not begun:
        return Status.FAILED, UNSTARTED
    return _death(running.process.returncode, err, *times)


def _said(running: _Running) -> tuple[bool, bytes]:
    """Whether the program began, and the verdict."""
    said = _read(running.verdict)
    return said.startswith(b"+"), said.removeprefix(b"+")


def _death(code: int, err: str, spent: float, allowed: float) -> tuple[Status, str]:
    """Why a program is gone that said nothing."""
    number = code - 128
    if number in {signal.SIGXCPU, signal.SIGKILL} and spent > allowed:
        return Status.TIMEOUT, "too slow"
    if number in {one.value for one in signal.Signals}:
        return Status.KILLED, signal.Signals(number).name
    if "MemoryError" in err or "Cannot allocate memory" in err:
        return Status.MEMORY, "MemoryError"
    return Status.FAILED, f"left early, with exit code {code}"


def _read(descriptor: int) -> bytes:
    """What a pipe holds, without waiting for those who have not closed it."""
    os.set_blocking(descriptor, False)
    try:
        return os.read(descriptor, 1000)
    except BlockingIOError:
        return b""


def _end(process: subprocess.Popen[bytes]) -> None:
    """End the jail and, with it, all that it holds."""
    if process.poll() is None:
        process.terminate()  # without a namespace it ends the program's processes itself
        try:
            process.wait(1.0)
        except subprocess.TimeoutExpired:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
    for stream in (process.stdout, process.stderr):
        if stream is not None and not stream.closed:
            stream.close()


def _unavailable(minimum: Isolation) -> Exception:
    reasons = "; ".join(
        f"{level.label}: {_why_not(level)}"
        for level in Isolation
        if level >= minimum and not works(level)
    )
    return mistake(
        "isolation_unavailable",
        f"Model-written code is not run here: isolation “{minimum.label}” is asked for, and only "
        f"“{reached().label}” can be reached ({reasons}).",
        "Install bubblewrap, allow user namespaces on this worker, or lower "
        "minimum_isolation where the worker holds nothing worth protecting.",
        field="evaluation.minimum_isolation",
    )
