"""What differs from one deployment to the next. Protocol constants are code and not here.

Built once, in an entry point, by `load_settings`, and passed down from there: nothing else reads the environment.
Every variable is `QBALLOT_` and the field's name in capitals; `.env.example` explains each to its user.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from qballot.endpoint_list import NEEDED_OPERATORS, EndpointAddress, parse_endpoints
from qballot.errors import InputError, SettingsError

ENVIRONMENT_PREFIX = "QBALLOT_"


class Settings(BaseSettings):
    """One frozen object with every setting, checked as a whole."""

    model_config = SettingsConfigDict(
        env_prefix=ENVIRONMENT_PREFIX, env_ignore_empty=True, frozen=True, extra="ignore", hide_input_in_errors=True
    )

    rpc_url: Annotated[str, Field(repr=False)] = "http://127.0.0.1:8545"
    """JSON-RPC endpoint of an Ethereum node (Infura or Alchemy style), or several in order of preference, separated by
    blanks and each `operator=URL` where wished. Their paths and credentials are never shown."""

    chain_id: Annotated[int | None, Field(ge=1)] = None
    """The chain that the endpoint must serve; any when unset."""

    network: str | None = None
    """The chain by name (`mainnet`, `sepolia`, `local`) instead of `chain_id`; any when unset."""

    rpc_timeout_seconds: Annotated[float, Field(gt=0, le=600)] = 20.0
    """How long one request may take in all."""

    witnesses: Annotated[int, Field(ge=1, le=100)] = NEEDED_OPERATORS
    """How many different operators must name a block's hash for what is proved at it to count as verified."""

    factory: Annotated[str | None, Field(pattern=r"^0x[0-9a-fA-F]{40}$")] = None
    """Address of the BallotBoxFactory; when unset, the address that this version's contracts have on every chain."""

    from_block: Annotated[int, Field(ge=0)] = 0
    """First block that is read for elections: at or before the factory's deployment."""

    block_range: Annotated[int, Field(ge=1, le=1_000_000)] = 2_000
    """Blocks that commands which look through the chain ask for at first; the indexer sizes its ranges by itself."""

    poll_seconds: Annotated[float, Field(gt=0, le=600)] = 2.0
    """Pause between two looks for a new block when there is none."""

    database_url: Annotated[str, Field(repr=False)] = "sqlite:///qballot.sqlite3"
    """Where the index is kept: `sqlite:///FILE` or `postgresql://USER:PASSWORD@HOST/NAME`."""

    host: str = "127.0.0.1"
    """Address on which the API listens."""

    port: Annotated[int, Field(ge=0, le=65_535)] = 8_000
    """Port on which the API listens; 0 takes any free one."""

    private_key: SecretStr | None = None
    """Key that signs where no `--account` is chosen: 0x and 64 hex digits. Never shown."""

    keystore: Path = Path("~/.qballot/keystore")
    """Folder of the encrypted key files that `qballot account` makes."""

    keystore_password_file: Path | None = None
    """File whose first line is the password of the chosen keystore account; asked for when unset."""

    deployments: Path = Path("deployments")
    """Folder of the records of what was deployed, one file a chain."""

    anvil: str | None = None
    """Path of the anvil program; when unset, the one that npm installed here, then the one on PATH."""

    metrics_host: str = "127.0.0.1"
    """Address on which the indexer serves its metrics."""

    metrics_port: Annotated[int | None, Field(ge=0, le=65_535)] = None
    """Port on which the indexer serves its metrics; 0 takes any free one, none are served when unset."""

    @property
    def endpoints(self) -> tuple[EndpointAddress, ...]:
        """Every endpoint that is named, in order of preference."""
        return parse_endpoints(self.rpc_url)

    @property
    def primary_rpc_url(self) -> str:
        """The URL of the first endpoint, for what asks but one."""
        return next(address.url for address in self.endpoints if not address.is_websocket)

    @field_validator("rpc_url")
    @classmethod
    def _check_rpc_url(cls, text: str) -> str:
        try:
            parse_endpoints(text)
        except InputError as error:
            raise ValueError(str(error)) from None
        return text

    @field_validator("database_url")
    @classmethod
    def _check_database_url(cls, url: str) -> str:
        if not url.startswith(("sqlite:///", "postgresql://")):
            scheme = url.split(":", 1)[0]
            raise ValueError(
                f"found the scheme {scheme!r}, expected sqlite:///FILE or postgresql://USER:PASSWORD@HOST/NAME"
            )
        return url


def load_settings(env_file: str | None = ".env") -> Settings:
    """Read the settings from the environment, then from `env_file` where that exists.

    Raises SettingsError that lists every variable that does not fit, before any work is done.
    """
    try:
        return Settings(_env_file=env_file)
    except ValidationError as error:
        raise SettingsError(
            [
                f"{ENVIRONMENT_PREFIX}{'.'.join(str(part) for part in problem['loc']).upper()}: {problem['msg']}"
                for problem in error.errors(include_url=False, include_input=False)
            ]
        ) from None
