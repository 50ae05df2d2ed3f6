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
from app.workers.processes import host_key
from app.workers.service import Identity
from worker import telemetry
from worker.disk import disk_warnings

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
        self.takes_work = threading.Event()
        """Cleared while the worker is drained or quarantined."""
        self.takes_work.set()
        self.registered = threading.Event()
        """Set when the database knows of this worker and `worker_id` is there."""
        self.worker_id = ""
        self._run_id: str | None = None
        self._news = threading.Event()

    @property
    def actor(self) -> str:
        """This worker, in the histories of runs."""
        return f"worker {self.worker_id}"

    def start(self) -> None:
        """Register and begin to send heartbeats; without a database, as soon as there is one."""
        self._try_to_register()
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
        if not self.registered.is_set():
            return
        try:
            with self._database.write() as session:
                service.say_goodbye(session, self.worker_id)
        except SQLAlchemyError as error:
            _log.warning("goodbye was not recorded: %s", error)

    def _try_to_register(self) -> None:
        who = Identity(_name(self._settings, self.hostname), self.hostname, host_key(), os.getpid())
        told = {
            "hardware": telemetry.hardware().model_dump(mode="json"),
            "usage": telemetry.usage(self._settings.runs_directory).model_dump(mode="json"),
            "versions": telemetry.versions(),
        }
        try:
            with self._database.write() as session:
                self.worker_id = service.register(session, who, self._settings, told)
            self.registered.set()
        except SQLAlchemyError as error:
            _log.warning("this worker is not registered yet: %s", error)

    def _beat(self) -> None:
        while not self._stopped.is_set():
            self._news.wait(self._settings.heartbeat_seconds)
            self._news.clear()
            if not self.registered.is_set():
                self._try_to_register()
                continue
            try:
                self._tell()
            except SQLAlchemyError as error:
                _log.warning("heartbeat was not recorded: %s", error)

    def _tell(self) -> None:
        run_id = self._run_id
        with self._database.read() as session:
            workers = service.pids_on(session, host_key())
            mode = service.get_worker(session, self.worker_id).mode
        if mode == "active":
            self.takes_work.set()
        else:
            self.takes_work.clear()
        usage = telemetry.usage(self._settings.runs_directory, workers, run_id)
        usage.problems.extend(disk_warnings(self._settings))
        with self._database.write() as session:
            service.heartbeat(session, self.worker_id, usage=usage, run_id=run_id)


def _name(settings: Settings, hostname: str) -> str:
    if settings.worker_name:
        return settings.worker_name
    gpus = os.environ.get("CUDA_VISIBLE_DEVICES")
    return f"{hostname}/gpu {gpus}" if gpus else hostname
