"""Asks the hub once, and quickly, whether a model is there, before anything is loaded from it.

Left alone, the loaders try a hub that is not there for a minute and end with a long message.
"""

from __future__ import annotations

from typing import Final

from httpx2 import HTTPError  # what huggingface_hub speaks through
from huggingface_hub import HfApi, constants, try_to_load_from_cache
from huggingface_hub.errors import (
    GatedRepoError,
    HfHubHTTPError,
    HFValidationError,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)

from core.config import ModelConfig
from core.errors import StudioError
from worker.trainer.failures import mistake
from worker.trainer.model_path import ModelSource, resolve_model

TIMEOUT_S: Final = 10.0


def locate_model(model: ModelConfig) -> ModelSource:
    """Find a model on this machine, in the hub's cache or on the hub.

    Raises:
        StudioError: `model_not_found`, saying what was tried and why it is not there.
    """
    source = resolve_model(model.name)
    if not source.is_local:
        _ask_hub(model, source)
    return source


def _ask_hub(model: ModelConfig, source: ModelSource) -> None:
    try:
        if isinstance(
            try_to_load_from_cache(model.name, "config.json", revision=model.revision), str
        ):
            return
        if constants.HF_HUB_OFFLINE:
            raise _not_found(source, "The hub is switched off here (HF_HUB_OFFLINE)")
        HfApi().model_info(model.name, revision=model.revision, timeout=TIMEOUT_S)
    except HFValidationError as error:
        raise _not_found(source, "That is no valid name on the hub") from error
    except GatedRepoError as error:
        raise _not_found(source, "The model is gated: its terms must be accepted first") from error
    except RevisionNotFoundError as error:
        raise _not_found(source, f"It has no revision {model.revision}") from error
    except RepositoryNotFoundError as error:
        raise _not_found(source, "The hub has no such public model") from error
    except (HfHubHTTPError, HTTPError, OSError) as error:
        raise _not_found(source, "The hub cannot be reached") from error


def _not_found(source: ModelSource, reason: str) -> StudioError:
    return mistake(
        "model_not_found",
        f"The model {source.location} is not there. Tried: {', '.join(source.tried)}. {reason}.",
        "Check the name and the connection, or put the model's files into one of these folders "
        "(`python -m worker.trainer obtain-model FOLDER` gets the demo model).",
        field="model.name",
    )
