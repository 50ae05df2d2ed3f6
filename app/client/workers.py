"""Workers and the queues that they take runs from."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from app.client.finding import find_named, path
from app.client.paging import each
from app.client.transport import Transport
from app.queues.schemas import QueueList, QueueOut
from app.workers.schemas import Sample, SampleList, WorkerOut
from core.schedule import Queue


class Workers:
    """What can be done with workers."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def list(self, *, most: int | None = None) -> Iterator[WorkerOut]:
        """Workers with their latest heartbeat, those alive first."""
        return each(self._transport, "/api/workers", {}, WorkerOut, most)

    def get(self, worker_id: str) -> WorkerOut:
        """One worker."""
        return WorkerOut.model_validate(self._transport.get(path("workers", worker_id)))

    def find(self, reference: str) -> WorkerOut:
        """A worker by its name, its identifier or the beginning of that.

        Raises:
            NotFoundError: there is none.
            ConflictError: several are meant.
        """
        return find_named(lambda: list(self.list()), reference, "worker", "workers")

    def samples(
        self, worker_id: str, *, seconds: int = 86_400, limit: int = 1000
    ) -> Sequence[Sample]:
        """Load of the worker's host, oldest first: every 15 s of the last day."""
        params = {"seconds": seconds, "limit": limit}
        answer = self._transport.get(path("workers", worker_id, "samples"), params)
        return SampleList.model_validate(answer).items

    def drain(self, worker_id: str, reason: str = "") -> WorkerOut:
        """Have a worker finish its run and take no other."""
        return self._set(worker_id, "drain", {"reason": reason})

    def quarantine(self, worker_id: str, reason: str = "") -> WorkerOut:
        """Keep a worker from taking runs because something is wrong with it."""
        return self._set(worker_id, "quarantine", {"reason": reason})

    def resume(self, worker_id: str) -> WorkerOut:
        """Let a worker take runs again."""
        return self._set(worker_id, "resume", None)

    def _set(self, worker_id: str, mode: str, body: dict[str, str] | None) -> WorkerOut:
        answer = self._transport.post(path("workers", worker_id, mode), body, repeatable=True)
        return WorkerOut.model_validate(answer)


class Queues:
    """What can be done with queues."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def list(self, *, limit: int = 100) -> Sequence[QueueOut]:
        """Each queue, and the first runs that wait in it, in the order in which they start."""
        return QueueList.model_validate(self._transport.get("/api/queues", {"limit": limit})).items

    def pause(self, name: Queue | str) -> None:
        """Hold back all runs that wait. Those that have started go on."""
        self._transport.post(path("queues", name, "pause"), repeatable=True)

    def resume(self, name: Queue | str) -> None:
        """Let runs start again."""
        self._transport.post(path("queues", name, "resume"), repeatable=True)
