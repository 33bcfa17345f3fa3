"""What `verify`, `recount` and `receipt verify` have in common: a file or a URL, and a hash to verify it against."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from urllib.parse import urlsplit, urlunsplit

import typer

from qballot.core.problems import quote
from qballot.core.types import ChainId, Hash32
from qballot.errors import InputError
from qballot.settings import Settings

if TYPE_CHECKING:
    from qballot.evidence import Trust

BlockHashOption = Annotated[
    str | None,
    typer.Option("--block-hash", metavar="0x…", help="The hash of its block, from a source of your own."),
]
WitnessOption = Annotated[
    list[str] | None,
    typer.Option(
        "--rpc",
        "--rpc-url",
        metavar="URL",
        help="Ask this endpoint, `URL` or `operator=URL`, for the block's hash; give it once for each of several "
        "operators. By default nobody is asked.",
    ),
]
VerboseOption = Annotated[bool, typer.Option("--verbose", "-v", help="Say of every step what was found.")]

PIECE_BYTES = 2**18


@contextmanager
def open_source(source: str) -> Iterator[Iterator[bytes]]:
    """Give the bytes of a file, or of what is at a URL of http(s), in pieces. Raises InputError, ApiError."""
    if source.startswith(("http://", "https://")):
        from qballot.client.download import open_download

        with open_download(source) as pieces:
            yield pieces
        return
    try:
        with Path(source).open("rb") as file:
            yield iter(lambda: file.read(PIECE_BYTES), b"")
    except OSError as error:
        raise InputError(f"{source} cannot be read: {error.strerror}") from error


def find_evidence_url(source: str) -> str:
    """Find where an election's evidence is, given its page or its place in the API; another source as it is."""
    if not source.startswith(("http://", "https://")):
        return source
    parts = urlsplit(source)
    named = re.fullmatch(r"(?P<prefix>.*)/(?:elections|e)/(?P<box>0[xX][0-9a-fA-F]{40})/?", parts.path)
    if named is None:
        return source
    return urlunsplit(parts._replace(path=f"{named['prefix']}/elections/{named['box']}/evidence"))


def read_block_hash(text: str | None) -> Hash32 | None:
    """Read the option. Raises InputError."""
    if text is None:
        return None
    if not re.fullmatch("0x[0-9a-fA-F]{64}", text):
        raise InputError(f"--block-hash: found {quote(text)}, expected 0x and 64 hexadecimal digits")
    return Hash32(bytes.fromhex(text[2:]))


def ask_for_trust(header: bytes, by_hand: Hash32 | None, urls: Sequence[str] | None, settings: Settings) -> Trust:
    """Find out who names the hash of a header's block. Errors as of `establish_trust`."""
    from qballot.endpoint_list import parse_endpoints
    from qballot.evidence import establish_trust

    addresses = parse_endpoints(" ".join(urls)) if urls else ()
    return establish_trust(header, by_hand, addresses, settings.rpc_timeout_seconds)


def find_chain(trust: Trust, settings: Settings) -> ChainId | None:
    """Find which chain the trusted hash is of, by the endpoints and the settings; None where neither says.

    Raises WrongChainError where they say different things, InputError for an unknown network.
    """
    from qballot.chain.networks import compute_expected_chain
    from qballot.errors import WrongChainError

    expected = compute_expected_chain(settings.network, settings.chain_id)
    if trust.names is None:
        return expected
    if expected is not None and trust.names.chain_id != expected:
        raise WrongChainError(found=trust.names.chain_id, expected=expected)
    return trust.names.chain_id
