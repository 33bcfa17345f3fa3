"""Options that several commands share, each overriding the setting of the same name."""

from __future__ import annotations

from typing import Annotated, Any

import typer
from pydantic import ValidationError

from qballot.errors import SettingsError
from qballot.settings import Settings, load_settings

RpcUrlOption = Annotated[str | None, typer.Option(metavar="URL", help="Endpoint of a node; else QBALLOT_RPC_URL.")]
DatabaseOption = Annotated[
    str | None,
    typer.Option(
        metavar="URL", help="sqlite:///FILE or postgresql://USER:PASSWORD@HOST/NAME; else QBALLOT_DATABASE_URL."
    ),
]
FactoryOption = Annotated[
    str | None, typer.Option(metavar="ADDRESS", help="The factory; else QBALLOT_FACTORY, else this version's own.")
]


def override_settings(**options: Any) -> Settings:
    """Load the settings and put the options that were given in their place, checked like them. Raises SettingsError."""
    given = {name: value for name, value in options.items() if value is not None}
    settings = load_settings()
    try:
        return Settings(_env_file=None, **{**settings.model_dump(), **given})
    except ValidationError as error:
        problems = error.errors(include_url=False, include_input=False)
        raise SettingsError([f"{_option(problem['loc'])}: {problem['msg']}" for problem in problems]) from None


def _option(place: tuple[int | str, ...]) -> str:
    field = str(place[0])
    return "--" + {"database_url": "database"}.get(field, field).replace("_", "-")
