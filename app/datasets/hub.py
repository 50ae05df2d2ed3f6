"""Gets a file of a data set from the Hugging Face hub."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from httpx2 import HTTPError
from huggingface_hub import constants, get_hf_file_metadata, hf_hub_download, hf_hub_url
from huggingface_hub.errors import (
    EntryNotFoundError,
    GatedRepoError,
    HfHubHTTPError,
    HFValidationError,
    LocalEntryNotFoundError,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)

from app.datasets.files import too_large
from app.datasets.schemas import HubSource, Origin
from core.errors import Problem, StudioError


class Found(NamedTuple):
    """A file in the hub's cache on this machine, and which commit it is of."""

    path: Path
    origin: Origin


def download(wanted: HubSource, limit: int) -> Found:
    """Get a file.

    Raises:
        StudioError: `hub_unreachable` or `hub_not_found`, with the field at fault.
        TooLargeError: it is larger than files may be.
    """
    if constants.HF_HUB_OFFLINE:
        raise _unreachable("the hub is switched off here (HF_HUB_OFFLINE)")
    try:
        url = hf_hub_url(wanted.repo_id, wanted.file, repo_type="dataset", revision=wanted.revision)
        about = get_hf_file_metadata(url)
        if about.size is not None and about.size > limit:
            raise too_large(limit)
        commit = about.commit_hash or wanted.revision
        path = hf_hub_download(wanted.repo_id, wanted.file, repo_type="dataset", revision=commit)
    except GatedRepoError as error:
        raise _absent("repo_id", "its terms must be accepted on the hub first") from error
    except RevisionNotFoundError as error:
        raise _absent("revision", f"it has no revision “{wanted.revision}”") from error
    except LocalEntryNotFoundError as error:
        raise _unreachable("the hub cannot be reached") from error
    except EntryNotFoundError as error:
        raise _absent("file", f"it has no file “{wanted.file}”") from error
    except RepositoryNotFoundError as error:
        raise _absent("repo_id", "the hub has no such data set, or it is private") from error
    except HFValidationError as error:
        raise _absent("repo_id", "that is no name of a repository") from error
    except (HfHubHTTPError, HTTPError, OSError) as error:
        raise _unreachable("the hub cannot be reached") from error
    return Found(Path(path), Origin(repo_id=wanted.repo_id, revision=commit, file=wanted.file))


def _unreachable(reason: str) -> StudioError:
    return StudioError(
        Problem(
            code="hub_unreachable",
            message=f"The file was not loaded: {reason}.",
            remedy="Upload the file instead, or mend the connection.",
            field="repo_id",
        )
    )


def _absent(field: str, reason: str) -> StudioError:
    return StudioError(
        Problem(
            code="hub_not_found",
            message=f"The file was not loaded: {reason}.",
            remedy="Check it on the hub; HF_TOKEN lets the studio see what is yours.",
            field=field,
        )
    )
