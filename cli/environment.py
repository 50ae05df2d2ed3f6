"""Settings from the environment, or a plain word about what is wrong with them."""

from __future__ import annotations

import typer
from pydantic import ValidationError

from app.settings import Settings


def read_settings() -> Settings:
    """The settings.

    Raises:
        typer.Exit: they are wrong; each mistake was told with its variable.
    """
    try:
        return Settings()
    except ValidationError as error:
        for problem in error.errors():
            name = "_".join(("UNISD", *map(str, problem["loc"]))).upper()
            reason = str(problem["msg"]).removeprefix("Value error, ")
            typer.echo(f"{name if problem['loc'] else 'Settings'}: {reason}", err=True)
        raise typer.Exit(2) from None
