"""Hostile programs, at every level of isolation that can be reached here."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from core.errors import StudioError
from worker.trainer.sandbox import Isolation, Limits, Outcome, Status, run_many, run_program
from worker.trainer.sandbox import run as sandbox

QUICK = Limits(seconds=0.7)
SYSTEM_PYTHON = Path("/usr/bin/python3")
FORGED = """
import os
for descriptor in range(3, 99):
    try:
        os.write(descriptor, b"0" * 32)
    except OSError:
        pass
os._exit(0)
"""
WALLED = (Isolation.NAMESPACES, Isolation.BUBBLEWRAP)


@pytest.fixture(params=list(Isolation), ids=lambda level: level.label)
def level(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Isolation:
    found: Isolation = request.param
    if found is Isolation.RLIMITS and not sandbox.works(found) and SYSTEM_PYTHON.exists():
        # This Python lies in a folder of root's own; another one shows the same.
        monkeypatch.setattr(sandbox, "_python", lambda: str(SYSTEM_PYTHON))
        return found
    if not sandbox.works(found):
        pytest.skip(f"{found.label} cannot be reached here: {sandbox._why_not(found)}")
    return found


@pytest.fixture(autouse=True)
def host_unharmed(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> Iterator[None]:
    """Nothing is left running, and the next program still passes."""
    monkeypatch.setattr(sandbox, "STARTING", 0.3)
    reached = request.getfixturevalue("level") if "level" in request.fixturenames else None
    before = {process.pid for process in psutil.Process().children(recursive=True)}
    yield
    if reached is not None:
        assert sandbox.run_at(reached, "assert 1 + 1 == 2", Limits(seconds=5.0)).passed
    deadline = time.monotonic() + 3
    while left := _left_running(before):
        assert time.monotonic() < deadline, left
        time.sleep(0.05)


def _left_running(before: set[int]) -> list[psutil.Process]:
    ours = [
        child
        for child in psutil.Process().children(recursive=True)
        if child.pid not in before and child.status() != psutil.STATUS_ZOMBIE
    ]
    users = range(sandbox.FIRST_USER, sandbox.FIRST_USER + sandbox.USERS)
    strangers = []
    for process in psutil.process_iter():
        try:
            if process.uids().real in users:
                strangers.append(process)
        except psutil.NoSuchProcess:
            continue
    return ours + strangers


def attack(level: Isolation, source: str, limits: Limits = QUICK) -> Outcome:
    outcome = sandbox.run_at(level, source, limits)
    assert outcome.isolation is level
    return outcome


def test_a_program_passes_if_it_runs_to_its_end(level: Isolation) -> None:
    outcome = attack(level, "import math\nprint(math.tau)\nassert True")
    assert (outcome.status, outcome.error) == (Status.PASSED, None)
    assert outcome.stdout.startswith("6.28")


def test_what_it_raises_is_told(level: Isolation) -> None:
    outcome = attack(level, "def f():\n    assert 1 == 2, 'no'\nf()")
    assert (outcome.status, outcome.error) == (Status.FAILED, "AssertionError")
    assert "no" in outcome.stderr
    assert attack(level, "def f(:").error == "SyntaxError"


@pytest.mark.parametrize(
    "source",
    [
        "import os; os._exit(0)",
        "import sys; sys.exit(0)",
        "raise SystemExit",
        "import os, signal; os.kill(os.getpid(), signal.SIGTERM)",
        "import os; os.closerange(3, 300)",
        FORGED,
        "import os; os.execv('/bin/true', ['true'])",
        "import atexit, os; atexit.register(os._exit, 0); raise ValueError",
        "import threading; threading.Thread(target=lambda: 1).start(); raise ValueError",
    ],
)
def test_leaving_early_is_not_passing(level: Isolation, source: str) -> None:
    assert not attack(level, source).passed


def test_the_secret_is_in_no_place_where_programs_look(level: Isolation) -> None:
    source = """
import gc, os, sys
seen = [sys.argv, dict(os.environ)]
frame = sys._getframe()
while frame:
    seen += [frame.f_locals, frame.f_globals, frame.f_code.co_consts]
    frame = frame.f_back
try:
    seen.append(open("/proc/self/cmdline").read())
except OSError:
    pass
print(repr(seen))
"""
    shown: list[str] = []
    begun = sandbox._started
    with begun(level, source, QUICK) as running:
        outcome, _ = sandbox._watch(running, level, QUICK)
        shown.append(running.token.decode())
    assert outcome.passed
    assert shown[0] not in outcome.stdout


@pytest.mark.parametrize("source", ["while True: pass", "import time; time.sleep(60)"])
def test_an_endless_program_is_ended(level: Isolation, source: str) -> None:
    outcome = attack(level, source)
    assert outcome.status is Status.TIMEOUT
    assert outcome.seconds < 6


def test_signals_that_are_ignored_do_not_help(level: Isolation) -> None:
    source = """
import signal, time
for number in set(signal.Signals) - {signal.SIGKILL, signal.SIGSTOP}:
    signal.signal(number, signal.SIG_IGN)
while True:
    pass
"""
    assert attack(level, source).status is Status.TIMEOUT


def test_a_fork_bomb_is_bounded(level: Isolation) -> None:
    source = """
import os
made = 0
try:
    while True:
        if os.fork() == 0:
            import time
            time.sleep(60)
            os._exit(0)
        made += 1
except OSError:
    print(made, flush=True)
while True:
    try:
        os.fork()
    except OSError:
        pass
"""
    outcome = attack(level, source)
    assert outcome.status is Status.TIMEOUT
    assert int(outcome.stdout.split()[0]) <= QUICK.processes


def test_a_thread_bomb_is_bounded(level: Isolation) -> None:
    source = """
import threading, time
while True:
    threading.Thread(target=time.sleep, args=(60,)).start()
"""
    assert not attack(level, source).passed


@pytest.mark.parametrize(
    "source",
    ["x = bytearray(10**10)", "x = []\nwhile True: x.append(bytearray(10**6))"],
)
def test_a_memory_hog_is_stopped(level: Isolation, source: str) -> None:
    # It takes long to fill memory on a busy machine.
    assert attack(level, source, Limits(seconds=20.0)).status is Status.MEMORY


@pytest.mark.parametrize("stream", ["stdout", "stderr"])
def test_a_gigabyte_of_output_is_cut_off(level: Isolation, stream: str) -> None:
    before = psutil.Process().memory_info().rss
    source = f"import sys\nfor _ in range(1000): sys.{stream}.write('x' * 10**6)"
    outcome = attack(level, source)
    assert outcome.status is Status.OUTPUT
    assert len(outcome.stdout) + len(outcome.stderr) <= 2 * sandbox.KEPT
    assert psutil.Process().memory_info().rss - before < 50 << 20


def test_the_work_folder_is_writable_and_bounded(level: Isolation) -> None:
    assert attack(level, "open('a', 'w').write('x'); assert open('a').read() == 'x'").passed
    small = Limits(seconds=3.0, disk=1 << 20)
    assert not attack(level, "open('a', 'wb').write(bytes(2 << 20))", small).passed
    if level in WALLED:
        many = "for n in range(9): open(str(n), 'wb').write(bytes(1 << 18))"
        assert not attack(level, many, small).passed
        inodes = "import os\nfor n in range(10**6): os.mkdir(str(n))"
        assert not attack(level, inodes, small).passed


def test_the_environment_is_clean(level: Isolation, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET_OF_THE_HOST", "s3cret")
    outcome = attack(level, "import os; print(dict(os.environ))")
    assert outcome.passed
    assert set(eval(outcome.stdout)) <= {"LANG", "PYTHONHASHSEED", "PWD"}


def _must_not_pass_behind_walls(level: Isolation, source: str) -> None:
    """Plain limits cannot hide files or network; that is what the level says."""
    outcome = attack(level, source)
    if level in WALLED:
        assert outcome.status is Status.FAILED, outcome


@pytest.mark.parametrize("path", ["/etc/passwd", "/etc/shadow", "/proc/1/environ", __file__])
def test_files_of_the_host_are_out_of_reach(level: Isolation, path: str) -> None:
    _must_not_pass_behind_walls(level, f"open({path!r}, 'rb').read(1)")


def test_the_projects_files_and_packages_are_out_of_reach(level: Isolation) -> None:
    project = Path(sandbox.__file__).parents[3]
    _must_not_pass_behind_walls(level, f"import os; assert os.listdir({str(project)!r})")
    _must_not_pass_behind_walls(level, "import torch")
    packages = Path(sys.base_prefix) / "lib" / f"python3.{sys.version_info.minor}" / "site-packages"
    _must_not_pass_behind_walls(level, f"import os; assert os.listdir({str(packages)!r})")


def test_nothing_outside_can_be_written(level: Isolation, tmp_path: Path) -> None:
    tmp_path.chmod(0o777)
    target = tmp_path / "written"
    source = f"open({str(target)!r}, 'w').write('x')"
    _must_not_pass_behind_walls(level, source)
    if level not in WALLED:
        return
    assert not target.exists()
    for place in ("/", "/usr", "/dev", "/tmp", sys.base_prefix):
        name = f"{place}/unisd-{os.getpid()}"
        _must_not_pass_behind_walls(level, f"open({name!r}, 'w').write('x')")
        assert not Path(name).exists()


def test_the_network_is_out_of_reach(level: Isolation) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        connect = f"import socket; socket.create_connection(('127.0.0.1', {port}), 0.5)"
        _must_not_pass_behind_walls(level, connect)
        server.setblocking(False)
        if level in WALLED:
            with pytest.raises(BlockingIOError):
                server.accept()
    _must_not_pass_behind_walls(
        level, "import socket; socket.create_connection(('192.0.2.1', 80), 0.5)"
    )


def test_the_parent_and_all_others_survive(level: Isolation) -> None:
    bystander = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    try:
        source = f"""
import os, signal
for process in (os.getppid(), 1, {os.getpid()}, {bystander.pid}, -1):
    try:
        os.kill(process, signal.SIGKILL)
    except OSError:
        pass
"""
        attack(level, source)
        if level in WALLED or os.geteuid() == 0:
            assert bystander.poll() is None
    finally:
        bystander.kill()
        bystander.wait()


def test_a_child_that_leaves_its_session_does_not_outlive_the_program(level: Isolation) -> None:
    source = """
import os, time
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        while True:
            time.sleep(1)
    os._exit(0)
"""
    assert attack(level, source).seconds < 4  # and `host_unharmed` looks for it


def test_no_privilege_can_be_had_again(level: Isolation) -> None:
    _must_not_pass_behind_walls(level, "import os; os.setuid(0); open('/usr/x', 'w')")
    mount = (
        "import ctypes; assert ctypes.CDLL(None).mount(b'none', b'/work', b'tmpfs', 0, b'') == 0"
    )
    outcome = attack(level, mount)
    assert outcome.status is Status.FAILED


@pytest.mark.parametrize(
    "source",
    [
        "def f(): f()\nf()",
        "import sys\nsys.setrecursionlimit(10**9)\nx = []\nfor _ in range(10**6): x = [x]\nrepr(x)",
        "import ctypes; ctypes.string_at(0)",
        "(" * 10_000,
        "\x00",
        "x = '\ud800'",
        "1" * 10_000 + " ** 10 ** 10",
    ],
)
def test_what_breaks_an_interpreter_breaks_only_its_own(level: Isolation, source: str) -> None:
    assert attack(level, source).status in set(Status)


def test_many_run_side_by_side_in_their_order() -> None:
    if sandbox.reached() < Isolation.NAMESPACES:
        pytest.skip("no level above plain limits can be reached here")
    sources = [f"assert {n} % 3" for n in range(12)]
    outcomes = run_many(sources, workers=4)
    assert [outcome.passed for outcome in outcomes] == [bool(n % 3) for n in range(12)]


def test_without_the_isolation_that_is_asked_for_nothing_is_run(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sandbox, "reached", lambda: Isolation.RLIMITS)
    monkeypatch.setattr(sandbox, "run_at", lambda *_: pytest.fail("it was run"))
    with pytest.raises(StudioError) as raised:
        run_program("print(1)", minimum=Isolation.NAMESPACES)
    assert raised.value.problem.code == "isolation_unavailable"
    assert raised.value.problem.remedy


@pytest.mark.parametrize(
    "source",
    [
        "import os; os.memfd_create('x')",
        "import ctypes; assert ctypes.CDLL(None).shmget(0, 1 << 20, 0o1600) >= 0",
        "import ctypes; assert ctypes.CDLL(None).unshare(0x10000000) == 0",
        "import ctypes; assert ctypes.CDLL(None).ptrace(0, 0, 0, 0) == 0",
    ],
)
def test_memory_beside_the_limit_namespaces_and_tracing_are_refused(
    level: Isolation, source: str
) -> None:
    assert attack(level, source).status is Status.FAILED


def test_threads_and_processes_of_its_own_are_allowed(level: Isolation) -> None:
    source = """
import subprocess, sys, threading
thread = threading.Thread(target=print, args=("a",))
thread.start()
thread.join()
print(subprocess.run([sys.executable, "-c", "print(7)"], capture_output=True).stdout)
"""
    outcome = attack(level, source, Limits(seconds=5.0))
    assert outcome.passed
    assert "7" in outcome.stdout


def test_a_fork_of_the_caller_keeps_nobody_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    if sandbox.reached() < Isolation.NAMESPACES:
        pytest.skip("no level above plain limits can be reached here")
    watch = sandbox._watch

    def forking(running: object, level: Isolation, limits: Limits) -> tuple[Outcome, str]:
        sleeper = os.fork()
        if sleeper == 0:  # holds the other ends of all pipes
            time.sleep(30)
            os._exit(0)
        try:
            return watch(running, level, limits)  # type: ignore[arg-type]
        finally:
            os.kill(sleeper, 9)
            os.waitpid(sleeper, 0)

    monkeypatch.setattr(sandbox, "_watch", forking)
    outcome = run_program("print(1)", Limits(seconds=5.0))
    assert outcome.passed
    assert outcome.seconds < 3


def test_walls_that_fail_are_no_wrong_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    if sandbox.reached() < Isolation.NAMESPACES:
        pytest.skip("no level above plain limits can be reached here")
    level = sandbox.reached()
    monkeypatch.setattr(sandbox, "_jail", lambda: "import os; os._exit(1)")
    with pytest.raises(StudioError) as raised:
        sandbox.run_at(level, "print(1)", QUICK)
    assert raised.value.problem.code == "isolation_unavailable"
