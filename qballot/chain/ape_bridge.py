"""What ape has, for our own code: its chosen network as an `Rpc`, its accounts as signers.

    ape run … --network ethereum:sepolia:infura ─▶ a provider that speaks HTTP ─▶ Rpc over the same URL, with our checks
    ape run … --network ethereum:local:test     ─▶ eth-tester in this process  ─▶ Rpc over `LocalChannel`

Nothing here loads ape: without it, and with ape but outside of its commands, there is no session.
"""

from __future__ import annotations

import shlex
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import msgspec

from qballot.chain.accounts import Signer, load_payer
from qballot.chain.ape_account import ApeSigner, load_ape_account
from qballot.chain.masking import MAX_SAID
from qballot.chain.networks import compute_expected_chain
from qballot.chain.reverts import decode_revert
from qballot.chain.rpc import DEFAULT_TIMEOUT_SECONDS, Rpc
from qballot.chain.transport import Request
from qballot.core.bloom import BLOOM_BYTES
from qballot.core.types import ChainId
from qballot.errors import ChainError, EndpointError, ToolError
from qballot.settings import Settings

Answer = Callable[[str, Sequence[Any]], Any]
"""Takes a method and its parameters; returns a JSON-RPC response, or raises whatever the node in it raises."""


@dataclass(frozen=True, slots=True)
class ApeSession:
    """ape, connected to a network. network: its name, as in `ethereum:local:test`. is_local: for development only."""

    network: str
    is_local: bool
    provider: Any

    def connect(self, timeout_seconds: float = DEFAULT_TIMEOUT_SECONDS) -> Rpc:
        """Make a connection to the network's node, ours to close."""
        url = self.provider.http_uri
        if isinstance(url, str):
            return Rpc(url, timeout_seconds)
        web3 = self.provider.web3
        if not hasattr(web3.provider, "ethereum_tester"):
            raise ToolError(f"ape's network {self.network} has no HTTP endpoint, expected one that has")
        return Rpc.over(LocalChannel(f"ape {self.network}", web3.provider.request_func(web3, web3.middleware_onion)))

    def load_signer(self, alias: str | None = None) -> Signer:
        """Load an account of ape's.

        alias: its name. Without one, a local network's first test account; elsewhere the only one there is, or ape asks
        for one of several. Raises InputError, ToolError.
        """
        if alias is not None:
            return load_ape_account(alias)
        manager = self.provider.account_manager
        if self.is_local:
            return ApeSigner(manager.test_accounts[0])
        accounts = list(manager)
        if not accounts:
            raise ToolError("ape has no account to pay with: make one with `ape accounts generate ALIAS`")
        if len(accounts) == 1:
            return ApeSigner(accounts[0])
        return ApeSigner(import_module("ape.cli.choices").select_account("Account that pays", key=accounts))


def find_ape_session() -> ApeSession | None:
    """Return ape's session when one of its commands runs us with a network, None otherwise."""
    ape = sys.modules.get("ape")
    provider = getattr(getattr(ape, "networks", None), "active_provider", None)
    if provider is None:
        return None
    network = provider.network
    return ApeSession(str(provider.network_choice), bool(network.is_local), provider)


@dataclass(frozen=True, slots=True)
class Connection:
    """What a script works with.

    chain_id: of the chain that `rpc` reaches. signer: pays. deployments: folder for the records of what is deployed.
    is_local: one of ape's own networks, of which nothing is meant to last: the folder goes with the connection.
    """

    rpc: Rpc
    chain_id: ChainId
    signer: Signer
    deployments: Path
    is_local: bool = False


@contextmanager
def open_connection(settings: Settings) -> Iterator[Connection]:
    """Connect to ape's network with ape's account where ape runs us, to that of the settings with their key otherwise.

    Raises SettingsError, WrongChainError, ToolError, ChainError.
    """
    session = find_ape_session()
    if session is None:
        expected = compute_expected_chain(settings.network, settings.chain_id)
        signer = load_payer(settings.private_key)
        with Rpc(settings.primary_rpc_url, settings.rpc_timeout_seconds) as rpc:
            yield Connection(rpc, rpc.check_chain(expected), signer, settings.deployments)
        return
    with session.connect(settings.rpc_timeout_seconds) as rpc, TemporaryDirectory(prefix="qballot-") as passing:
        folder = Path(passing) if session.is_local else settings.deployments
        yield Connection(rpc, rpc.chain_id(), session.load_signer(), folder, session.is_local)


def read_script_arguments() -> list[str]:
    """Return a script's arguments: those of the command line, or one line of input where ape runs us.

    `ape run` hands no arguments on to a script's `main`.
    """
    if find_ape_session() is None:
        return sys.argv[1:]
    if sys.stdin.isatty():
        sys.stderr.write("Arguments, as they would follow the script's name (--help lists them): ")
        sys.stderr.flush()
    return shlex.split(sys.stdin.readline())


class LocalChannel:
    """A `Channel` to eth-tester, which runs in this process and answers with Python values in place of JSON."""

    def __init__(self, endpoint: str, answer: Answer) -> None:
        self._endpoint = endpoint
        self._answer = answer

    @property
    def endpoint(self) -> str:
        """The network's name."""
        return self._endpoint

    def close(self) -> None:
        """Do nothing: the chain is ape's."""

    def mask(self, text: str) -> str:
        """Return the text, shortened: this process has no key."""
        return text[:MAX_SAID]

    def fetch(
        self,
        request: Request,
        *,
        retry: bool,  # noqa: ARG002 # nothing that may pass
        max_bytes: int | None = None,  # noqa: ARG002 # nothing comes over a wire
    ) -> msgspec.Raw:
        """Ask for one thing. Raises ContractReverted, EndpointError."""
        method, params = request
        try:
            answer = self._answer(method, list(params))
        except Exception as error:  # eth-tester's and py-evm's errors have no common base
            data = find_revert_data(error)
            if data is not None:
                raise decode_revert(data) from None
            said = f"{type(error).__name__}: {str(error)[:500]}"
            raise EndpointError(self._endpoint, f"{method}: {said}", retryable=False) from error
        if "error" in answer:
            raise EndpointError(self._endpoint, f"{method}: {answer['error']}", retryable=False)
        return msgspec.Raw(msgspec.json.encode(_to_json(answer.get("result"))))

    def fetch_many(self, requests: Sequence[Request], *, retry: bool) -> list[msgspec.Raw | ChainError]:
        """Ask for many things, one after another."""
        outcomes: list[msgspec.Raw | ChainError] = []
        for request in requests:
            try:
                outcomes.append(self.fetch(request, retry=retry))
            except ChainError as error:
                outcomes.append(error)
        return outcomes


def find_revert_data(error: BaseException) -> bytes | None:
    """Find what a call reverted with in eth-tester's error, or in those that it stands for; None for other errors."""
    is_revert = False
    seen: BaseException | None = error
    while seen is not None:
        is_revert = is_revert or type(seen).__name__ == "TransactionFailed"
        for argument in seen.args:
            inner = argument.args[0] if isinstance(argument, Exception) and argument.args else argument
            if is_revert and isinstance(inner, bytes):
                return bytes(inner)
        seen = seen.__cause__ or seen.__context__
    return b"" if is_revert else None


def _to_json(value: Any) -> Any:
    """Write a value as JSON-RPC does: numbers and bytes as 0x-hex."""
    if isinstance(value, bool) or value is None or isinstance(value, str):
        return value
    if isinstance(value, int):
        return hex(value)
    if isinstance(value, bytes | bytearray):
        return "0x" + value.hex()
    if isinstance(value, list | tuple):
        return [_to_json(item) for item in value]
    return {str(key): _to_json(_widen(str(key), item)) for key, item in dict(value).items()}


def _widen(key: str, value: Any) -> Any:
    """Give a filter of logs its full length: eth-tester has it as a number."""
    return value.to_bytes(BLOOM_BYTES) if key == "logsBloom" and isinstance(value, int) else value
