"""Files of runs for who reads them: from the home folder that workers share, or from the store."""

from __future__ import annotations

from http import HTTPStatus
from pathlib import Path

from app.errors import AppError, UnavailableError
from app.settings import Settings
from app.storage.cache import cached
from app.storage.store import StoreError, artifact_store


class ArtifactNotThereYetError(AppError):
    """A run told of a file that its worker has not copied into the store yet."""

    status = HTTPStatus.CONFLICT
    code = "artifact_not_there_yet"
    title = "Not there yet"

    def __init__(self, key: str) -> None:
        super().__init__(
            f"The file {key} is not in the artifact store yet.",
            "Its worker still copies it: try again in a moment. If it does not come, see whether "
            "that worker runs and reaches the store.",
        )


def store_unavailable(error: StoreError) -> UnavailableError:
    """The store's failure as an error of the API."""
    told = str(error)
    return UnavailableError(
        f"{told[:1].upper()}{told[1:]}.",
        "Try again in a moment; else see whether the store runs and UNISD_ARTIFACTS_URL is right.",
    )


def readable(settings: Settings, key: str, local: Path, *, final: bool = True) -> Path:
    """Path on this host of a file that an attempt wrote.

    Args:
        settings: say which store there is.
        key: the file's name in the store.
        local: where it lies where workers and API share a home folder.
        final: whether it never changes once it is there.

    Raises:
        ArtifactNotThereYetError: the store does not have it yet.
        UnavailableError: the store does not answer, or this host cannot hold a copy.
    """
    try:
        store = artifact_store(settings)
        if store.is_home:
            return local
        return cached(settings, store, key, final=final)
    except FileNotFoundError as error:
        raise ArtifactNotThereYetError(key) from error
    except StoreError as error:
        raise store_unavailable(error) from error
    except OSError as error:
        raise UnavailableError(
            f"The file {key} cannot be kept on this host: {error.strerror}.",
            "Make room below UNISD_HOME.",
        ) from error


def checkpoint_steps(settings: Settings, attempt_key: str, local: Path) -> set[int]:
    """Steps of an attempt's whole checkpoints.

    Args:
        settings: say which store there is.
        attempt_key: the attempt's folder in the store.
        local: the same where workers and API share a home folder.

    Raises:
        UnavailableError: the store does not answer.
    """
    try:
        store = artifact_store(settings)
        if store.is_home:
            manifests = [path.as_posix() for path in local.glob("checkpoints/step-*/manifest.json")]
        else:
            found = store.list(f"{attempt_key}/checkpoints")
            manifests = [key for key in found if key.endswith("/manifest.json")]
    except StoreError as error:
        raise store_unavailable(error) from error
    return {int(Path(name).parent.name.removeprefix("step-")) for name in manifests}
