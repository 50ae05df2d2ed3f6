"""This worker's entry in the table of workers, kept fresh by a thread."""

from __future__ import annotations

import logging
import os
import socket
import threading

from sqlalchemy.exc import SQLAlchemyError

from app.db import Database
from app.settings import Settings
from app.workers import service
from worker import telemetry

_log = logging.getLogger(__name__)


class Presence:
    """Registers the worker, sends heartbeats, and says goodbye."""

    def __init__(self, database: Database, settings: Settings) -> None:
        self._database = database
        self._settings = settings
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._beat, name="heartbeat", daemon=True)
        self.hostname = socket.gethostname()
        self.leaving = threading.Event()
        """Set when the worker is asked to go; its supervisor then gives its run back."""
        self.worker_id = ""
        self._run_id: str | None = None
        self._news = threading.Event()

    def start(self) -> None:
        """Register and begin to send heartbeats."""
        name = self._settings.worker_name or f"{self.hostname}:{os.getpid()}"
        worker = {
            "name": name,
            "hostname": self.hostname,
            "pid": os.getpid(),
            "hardware": telemetry.hardware().model_dump(),
            "usage": telemetry.usage(self._settings.runs_directory).model_dump(),
            "versions": telemetry.versions(),
        }
        with self._database.write() as session:
            self.worker_id = service.register(session, worker)
        self._thread.start()

    def set_run(self, run_id: str | None) -> None:
        """Say which run this worker executes now."""
        self._run_id = run_id
        self._news.set()

    def stop(self) -> None:
        """Say goodbye."""
        if not self._thread.is_alive():
            return
        self._stopped.set()
        self._news.set()
        self._thread.join()
        try:
            with self._database.write() as session:
                service.say_goodbye(session, self.worker_id)
        except SQLAlchemyError as error:
            _log.warning("goodbye was not recorded: %s", error)

    def _beat(self) -> None:
        while not self._stopped.is_set():
            self._news.wait(self._settings.heartbeat_seconds)
            self._news.clear()
            try:
                usage = telemetry.usage(self._settings.runs_directory)
                with self._database.write() as session:
                    service.heartbeat(session, self.worker_id, usage=usage, run_id=self._run_id)
            except SQLAlchemyError as error:
                _log.warning("heartbeat was not recorded: %s", error)
