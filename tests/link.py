"""A network link between two hosts that can be cut, as a small TCP proxy."""

from __future__ import annotations

import socket
import struct
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

_CHUNK = 65536


class Link:
    """Forwards from a free port of this machine to a server.

    A cut is silent, as when a cable is drawn: nothing is closed and nothing gets through, while
    both ends go on accepting what they are sent, until they give up.
    """

    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port = int(self._listener.getsockname()[1])
        self._target: str | Path | int | None = None
        self._aimed = threading.Event()
        self._whole = threading.Event()
        self._whole.set()
        self._lock = threading.Lock()
        self._sockets: set[socket.socket] = set()
        self._start(self._accept)

    def aim(self, target: Path | int) -> None:
        """Say where it leads: to a port of this machine or to a socket file."""
        self._target = target
        self._aimed.set()

    def cut(self) -> None:
        """Let nothing through from now on."""
        self._whole.clear()

    def restore(self, *, forget: bool = False) -> None:
        """Let everything through again.

        Args:
            forget: reset connections from before, as a router does that has forgotten them.
        """
        if forget:
            self._reset()
        self._whole.set()

    def close(self) -> None:
        """End it."""
        self._listener.shutdown(socket.SHUT_RDWR)  # wakes who accepts
        self._listener.close()
        self._reset()
        self._whole.set()
        self._aimed.set()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                near, _ = self._listener.accept()
                self._start(self._connect, near)

    def _connect(self, near: socket.socket) -> None:
        self._aimed.wait()
        self._whole.wait()
        try:
            if isinstance(self._target, Path):
                far = socket.socket(socket.AF_UNIX)
                far.connect(str(self._target))
            else:
                far = socket.create_connection(("127.0.0.1", int(self._target or 0)))
        except OSError:
            near.close()
            return
        with self._lock:
            self._sockets |= {near, far}
        there = self._start(self._carry, near, far)
        self._carry(far, near)
        there.join()
        with self._lock:
            self._sockets -= {near, far}
        near.close()
        far.close()

    def _carry(self, source: socket.socket, sink: socket.socket) -> None:
        with suppress(OSError):
            while data := source.recv(_CHUNK):
                self._whole.wait()
                sink.sendall(data)
        self._whole.wait()  # the end of a connection does not get through either
        for end in (source, sink):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def _reset(self) -> None:
        with self._lock:
            ends, self._sockets = self._sockets, set()
        for end in ends:
            with suppress(OSError):  # whoever carries may have closed it just now
                if end.family != socket.AF_UNIX:
                    end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            with suppress(OSError):
                end.shutdown(socket.SHUT_RD)  # wakes who reads from it
            end.close()

    @staticmethod
    def _start(work: Callable[..., None], *arguments: socket.socket) -> threading.Thread:
        thread = threading.Thread(target=work, args=arguments, daemon=True)
        thread.start()
        return thread
