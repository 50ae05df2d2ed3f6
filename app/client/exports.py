"""Exports of a run's weights, and reproduction bundles."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from app.artifacts.schemas import ArtifactRow, RunFiles
from app.bundles.schemas import BundleImport, BundleStarted, BundleVerdict
from app.client import downloads, events
from app.client.finding import find_named, path
from app.client.paging import each, plain
from app.client.transport import Transport
from app.exports.schemas import ExportCreate, ExportOptions, ExportOut
from app.runs.schemas import RunEventOut
from core.bundle import Bundle
from core.export_job import ExportKind
from core.states import TERMINAL


class Exports:
    """What can be done with exports. One is executed as the run of the same identifier."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def options(self, run: str) -> ExportOptions:
        """What can be exported of a run, how large it will be, and what is missing for the rest."""
        answer = self._transport.get(path("runs", run, "exports", "options"))
        return ExportOptions.model_validate(answer)

    def start(self, run: str, wanted: ExportCreate | Mapping[str, Any]) -> ExportOut:
        """Have a worker make files of a run's weights. A lost answer never makes a second export.

        Args:
            run: whose weights are exported.
            wanted: `kind` (`adapter`, `ema_adapter`, `merged`, `gguf`, `hub`) and what belongs to
                it; for `hub` a repository and a token, which is used once and never stored whole.
        """
        body = downloads.with_secrets(wanted) if isinstance(wanted, ExportCreate) else wanted
        answer = self._transport.post(path("runs", run, "exports"), plain(body), once=True)
        return ExportOut.model_validate(answer)

    def list(
        self,
        *,
        run: str | None = None,
        project_id: str | None = None,
        kind: ExportKind | str | None = None,
        open_only: bool = False,
        most: int | None = None,
    ) -> Iterator[ExportOut]:
        """Exports with their progress, newest first."""
        query = {"run_id": run, "project_id": project_id, "kind": kind, "open_only": open_only}
        return each(self._transport, "/api/exports", query, ExportOut, most)

    def get(self, export_id: str) -> ExportOut:
        """One export."""
        return ExportOut.model_validate(self._transport.get(path("exports", export_id)))

    def find(self, reference: str) -> ExportOut:
        """An export by its identifier, the beginning of that, or its name.

        Raises:
            NotFoundError: there is none.
            ConflictError: several are meant.
        """
        return find_named(lambda: list(self.list()), reference, "export", "exports")

    def events(self, export_id: str, after: int = 0) -> Iterator[RunEventOut]:
        """Events of an export as they happen, after a cursor, until it is over."""
        return events.follow(self._transport, export_id, after)

    def wait(
        self,
        export_id: str,
        *,
        on_event: Callable[[RunEventOut], None] = lambda _event: None,
    ) -> ExportOut:
        """Wait until an export is over; returns what became of it.

        Args:
            export_id: the export.
            on_event: called with each of its events, such as a `phase` with its progress.
        """
        cursor, found = 0, self.get(export_id)
        while found.status not in TERMINAL:
            for event in self.events(export_id, cursor):
                cursor = event.cursor
                on_event(event)
            found = self.get(export_id)
        return found

    def cancel(self, export_id: str) -> ExportOut:
        """End an export that is not over. Nothing of it is kept."""
        return ExportOut.model_validate(self._transport.post(path("exports", export_id, "cancel")))

    def delete(self, export_id: str) -> None:
        """Remove an export that is over or waits, with its files."""
        self._transport.delete(path("exports", export_id))

    def download(
        self,
        export_id: str,
        to: Path | str = ".",
        *,
        file: str | None = None,
        on_progress: Callable[[int, int], None] = lambda _done, _total: None,
    ) -> Path:
        """Fetch an export's files as a ZIP archive, or one of them; returns where it lies now.

        A download that was cut off goes on where it broke, also in another process. It only takes
        its place once every file has the SHA-256 that the export names.

        Args:
            export_id: the export.
            to: folder, or the new file's path.
            file: path of one of its files; None: all.
            on_progress: called with bytes done and bytes in all.

        Raises:
            StudioError: `download_damaged`; it did not arrive as the studio has it.
        """
        hashes = {one.path: one.sha256 for one in self.get(export_id).files}

        def check(arrived: Path) -> None:
            if file is None:
                downloads.check_archive(arrived, hashes)
            else:
                downloads.check_file(arrived, file, hashes)

        where = path("exports", export_id, "download")
        return downloads.fetch(self._transport, where, {"file": file}, Path(to), on_progress, check)

    def artifacts(
        self, *, run: str | None = None, most: int | None = None
    ) -> Iterator[ArtifactRow]:
        """Adapters that runs wrote, and exports, newest first."""
        return each(self._transport, "/api/artifacts", {"run_id": run}, ArtifactRow, most)

    def files(self, run: str) -> RunFiles:
        """The adapters and checkpoints that a run wrote, file by file."""
        return RunFiles.model_validate(self._transport.get(path("runs", run, "files")))


class Bundles:
    """Reproduction bundles: a run as one file, from which the same run can be started."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def get(self, run: str) -> Bundle:
        """Configuration, seeds, data hash, versions and results of a run."""
        return Bundle.model_validate(self._transport.get(path("runs", run, "bundle")))

    def check(self, wanted: BundleImport | Mapping[str, Any]) -> BundleVerdict:
        """Whether the same run can be started here, on which data, and which versions differ."""
        answer = self._transport.post("/api/bundles/check", plain(wanted), repeatable=True)
        return BundleVerdict.model_validate(answer)

    def start(self, wanted: BundleImport | Mapping[str, Any]) -> BundleStarted:
        """Start the same run again. A lost answer never makes a second run."""
        answer = self._transport.post("/api/bundles", plain(wanted), once=True)
        return BundleStarted.model_validate(answer)
