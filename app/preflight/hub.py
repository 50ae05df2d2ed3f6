"""Asks the Hugging Face hub whether it has a model."""

from __future__ import annotations

import os
from functools import lru_cache

import httpx2
from huggingface_hub import HfApi
from huggingface_hub.errors import (
    HfHubHTTPError,
    HFValidationError,
    OfflineModeIsEnabled,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)

_TIMEOUT_SECONDS = 5.0


def why_not_on_hub(name: str, revision: str | None = None) -> str | None:
    """None if the hub has the model, else the reason, as the end of a sentence."""
    if os.environ.get("HF_HUB_OFFLINE", "").upper() in {"1", "TRUE", "YES", "ON"}:
        return "is not on this machine, and the hub is switched off (HF_HUB_OFFLINE)"
    try:
        _ask(name, revision)
    except RevisionNotFoundError:
        return f"has no revision “{revision}” on the hub"
    except RepositoryNotFoundError:
        return "exists neither on this machine nor on the hub (or it is gated)"
    except (HfHubHTTPError, HFValidationError) as error:
        return f"is not on this machine, and the hub refused it: {str(error).splitlines()[0]}"
    except (OfflineModeIsEnabled, httpx2.HTTPError, OSError):
        return "is not on this machine, and the hub cannot be reached"
    return None


@lru_cache(maxsize=64)
def _ask(name: str, revision: str | None) -> None:
    HfApi().model_info(name, revision=revision, timeout=_TIMEOUT_SECONDS)
