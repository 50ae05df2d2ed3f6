"""`unisd` for scripts of tests: a real process for each command, but forked, not started anew.

A command takes a second to import everything; forked from a process that has done so, a hundredth.
The wrapper on the PATH hands over its arguments, folder, environment, and the files 0 to 2.
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_WRAPPER = """#!{python} -IS
import json, os, socket, sys
with socket.socket(socket.AF_UNIX) as link:
    link.connect({address!r})
    told = json.dumps([sys.argv[1:], os.getcwd(), dict(os.environ)]).encode()
    socket.send_fds(link, [b"x"], [0, 1, 2])
    link.sendall(told)
    link.shutdown(socket.SHUT_WR)
    sys.exit(int(link.recv(16) or b"70"))
"""


@contextmanager
def unisd_on_path(folder: Path) -> Iterator[Path]:
    """A folder for the PATH that holds `unisd`."""
    folder.mkdir()
    address = folder / "link"
    command = [sys.executable, "-m", "tests.e2e.unisd", str(address)]
    root = Path(__file__).parents[2]
    with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=root) as server:
        assert server.stdout is not None
        assert server.stdout.readline() == b"ready\n"
        wrapper = folder / "unisd"
        wrapper.write_text(_WRAPPER.format(python=sys.executable, address=str(address)))
        wrapper.chmod(0o755)
        try:
            yield folder
        finally:
            server.terminate()


def _serve(address: str) -> None:
    from cli.main import app

    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(address)
        listener.listen()
        print("ready", flush=True)
        while True:
            link, _ = listener.accept()
            if os.fork():
                link.close()
                continue
            listener.close()
            _run(app, link)


def _run(app, link):
    _, files, _, _ = socket.recv_fds(link, 1, 3)
    told = b"".join(iter(lambda: link.recv(65536), b""))
    arguments, folder, environment = json.loads(told)
    for number, file in enumerate(files):
        os.dup2(file, number)
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    status = 0
    try:
        app(arguments)
    except SystemExit as end:
        status = end.code if isinstance(end.code, int) else int(bool(end.code))
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        link.sendall(str(status).encode())
        os._exit(0)


if __name__ == "__main__":
    import signal

    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    _serve(sys.argv[1])
