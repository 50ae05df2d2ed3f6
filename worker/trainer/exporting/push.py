"""Puts an export's files into a repository of a hub, as one commit."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from httpx2 import HTTPError
from huggingface_hub import CommitOperationAdd, HfApi, RepoFile
from huggingface_hub.errors import HfHubHTTPError, HFValidationError, OfflineModeIsEnabled
from huggingface_hub.utils.tqdm import disable_progress_bars

from core.errors import StudioError
from core.export_job import UNIT_BYTES, ExportedFile, HubTarget
from worker.trainer.event_log import EventLog
from worker.trainer.failures import failure, mistake
from worker.trainer.interrupt import Interrupt

_HIDDEN: Final = "[token]"
_REFUSED: Final = {
    401: "The hub does not know the token.",
    403: "The token may not write there.",
    404: "The hub has no such owner, or the token may not see it.",
}


def push(
    folder: Path,
    files: Sequence[ExportedFile],
    hub: HubTarget,
    token: str,
    log: EventLog,
    interrupt: Interrupt,
) -> str:
    """Push the files and see that the hub has them.

    Nothing shows in the repository before all of it is there: files first, then one commit.

    Returns:
        Address of the commit.

    Raises:
        StudioError: `hub_refused`, `hub_unreachable`, `hub_differs`.
        StopRequested: a stop was asked for.
    """
    disable_progress_bars()
    logging.getLogger("huggingface_hub").setLevel(logging.ERROR)
    api = HfApi(token=token)
    with _explained(hub, token):
        made = api.create_repo(hub.repository, private=hub.private, exist_ok=True)
        if hub.branch != "main":
            api.create_branch(hub.repository, branch=hub.branch, exist_ok=True)
        total = sum(file.bytes for file in files)
        done = 0
        operations = []
        for file in files:
            interrupt.check()
            _tell(log, f"Sending {file.path} to {made.repo_id}", done, total)
            operation = CommitOperationAdd(file.path, folder / file.path)
            api.preupload_lfs_files(
                hub.repository, [operation], revision=hub.branch, free_memory=False
            )
            operations.append(operation)
            done += file.bytes
        interrupt.check()
        _tell(log, f"Committing to {made.repo_id}", done, total)
        commit = api.create_commit(
            hub.repository,
            operations,
            commit_message="Upload from UniSD Studio",
            revision=hub.branch,
        )
        _compare(api, files, hub, str(commit.oid))
    return str(commit.commit_url)


def _tell(log: EventLog, doing: str, done: int, total: int) -> None:
    log.phase("pushing", doing, done // UNIT_BYTES, -(-total // UNIT_BYTES))


def _compare(api: HfApi, files: Sequence[ExportedFile], hub: HubTarget, commit: str) -> None:
    """See that the hub lists what was sent, by size and, for large files, by hash."""
    there = {
        one.path: one
        for one in api.get_paths_info(
            hub.repository, [file.path for file in files], revision=commit or hub.branch
        )
        if isinstance(one, RepoFile)
    }
    for file in files:
        found = there.get(file.path)
        large = None if found is None else found.lfs
        if (
            found is None
            or found.size != file.bytes
            or (large is not None and large.sha256 != file.sha256)
        ):
            raise failure(
                "hub_differs",
                f"The hub does not have {file.path} as it was sent.",
                "Push again; if it stays so, look at the repository.",
            )


@contextmanager
def _explained(hub: HubTarget, token: str) -> Iterator[None]:
    """Make one of our errors of the hub's, without the token in any of them."""
    try:
        yield
    except StudioError:
        raise
    except OfflineModeIsEnabled:
        raise mistake(
            "hub_unreachable",
            "The hub is switched off on this worker (HF_HUB_OFFLINE).",
            "Start the worker without it, or push from another one.",
        ) from None
    except HfHubHTTPError as error:
        status = error.response.status_code if error.response is not None else 0
        told = str(error.server_message or error).replace(token, _HIDDEN)
        raise failure(
            "hub_refused",
            f"The push to {hub.repository} failed. {_REFUSED.get(status, '')} "
            f"{' '.join(told.split())[:300]}".strip(),
            "Give a token with the right to write to that repository.",
        ) from None
    except (HFValidationError, ValueError) as error:
        raise failure(
            "hub_refused",
            f"The push to {hub.repository} failed: "
            f"{' '.join(str(error).replace(token, _HIDDEN).split())[:300]}",
            "Check the repository's name.",
        ) from None
    except (HTTPError, OSError) as error:
        where = os.environ.get("HF_ENDPOINT", "the hub")
        raise failure(
            "hub_unreachable",
            f"{where} cannot be reached from this worker: {type(error).__name__}.",
            "Check the worker's network (HF_ENDPOINT), then push again.",
        ) from None
