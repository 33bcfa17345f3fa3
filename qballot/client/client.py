"""One method for each route of the API, and iterators over what comes in pages."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import Self, TypeVar

import msgspec
from pydantic import ValidationError

from qballot.client.answers import (
    Alive,
    Answer,
    Ballot,
    BallotPage,
    Election,
    ElectionPage,
    ElectionSummary,
    Readiness,
    Result,
    Verification,
)
from qballot.client.download import open_download, save_pieces
from qballot.client.http import Connection, Response
from qballot.core.address import checksum_address, parse_address
from qballot.core.census_proof import VoterProof, load_voter_proof
from qballot.core.proof import ReceiptFile, read_receipt_file
from qballot.core.types import Address
from qballot.errors import ApiError, DecodeError, InputError

DEFAULT_TIMEOUT_SECONDS = 20.0

ELECTIONS_A_PAGE = 100
BALLOTS_A_PAGE = 1_000
"""The most that the API gives at once."""

NOT_READY = 503

T = TypeVar("T", bound=Answer)
AddressOrText = Address | str
"""An address as 20 bytes, or as text: checksummed, or of one case. An election goes by its box's."""


class Client:
    """A server of the API. Safe to share between threads; close it, or use it as a context manager.

    url: http(s)://host[:port][/prefix]. timeout_seconds: how long one answer may take in all, further tries included.
    Every method raises ApiError when there is no usable answer: ApiNotFoundError for what the server does not have,
    ApiRequestError for what it refuses; and InputError for text that is no address. What fails and may pass is tried
    again; answers with an ETag are kept and not sent again until they change.
    """

    def __init__(self, url: str, timeout_seconds: float = DEFAULT_TIMEOUT_SECONDS) -> None:
        self._connection = Connection(url, timeout_seconds)
        self._url = url.rstrip("/")

    def __repr__(self) -> str:
        return f"Client({self._connection.name})"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._connection.close()

    def elections_page(self, *, after: int | None = None, limit: int | None = None) -> ElectionPage:
        """Return some elections, the newest first. after: `next` of the page before. limit: 1 … 100."""
        return self._get("/elections", ElectionPage, {"after": after, "limit": limit})

    def elections(self, *, page_size: int = ELECTIONS_A_PAGE) -> Iterator[ElectionSummary]:
        """Go through all elections, the newest first, a page at a time."""
        after = None
        while True:
            page = self.elections_page(after=after, limit=page_size)
            yield from page.elections
            if page.next is None:
                return
            after = page.next

    def election(self, box: AddressOrText) -> Election:
        """Return one election with its rules."""
        return self._get(f"/elections/{_text(box)}", Election)

    def result(self, box: AddressOrText) -> Result:
        """Return an election's result, with its state, its level of verification and the block that it holds at."""
        return self._get(f"/elections/{_text(box)}/results", Result)

    def verification(self, box: AddressOrText) -> Verification:
        """Return how far the server has verified an election's result, by whose word, and why not further."""
        return self._get(f"/elections/{_text(box)}/verification", Verification)

    def evidence(self, box: AddressOrText, file: Path, *, census: bool = True) -> int:
        """Download an election's evidence into a file, which is there once it is whole. Returns its size in bytes.

        census: whether the voters are in it; otherwise their file is named by its hash. `verify_evidence_file` of
        `qballot.core.proof` verifies it. A server that is still writing it is waited for; ApiError of the kind
        `not_proven` where there is none yet, InputError where the file cannot be written.
        """
        query = "" if census else "?census=false"
        with open_download(f"{self._url}/elections/{_text(box)}/evidence{query}") as pieces:
            return save_pieces(file, pieces)

    def receipt(self, box: AddressOrText, position: int) -> ReceiptFile:
        """Return a ballot's receipt. position: among the box's records, from 0.

        `verify_receipt_file` of `qballot.core.proof` verifies it, and `write_receipt_file` writes the voter's file.
        """
        path = f"/elections/{_text(box)}/ballots/{position}/receipt"
        try:
            return read_receipt_file(self._connection.get(path, {}).body)
        except DecodeError as error:
            raise self._unreadable(path, str(error)) from None

    def ballots_page(
        self, box: AddressOrText, *, after: int | None = None, limit: int | None = None, voter: int | None = None
    ) -> BallotPage:
        """Return some of an election's ballots in the order of the hash chain, replaced and spoiled ones included.

        after: `next` of the page before. limit: 1 … 1,000. voter: index in the census, for that voter's alone.
        """
        query = {"after": after, "limit": limit, "voter": voter}
        return self._get(f"/elections/{_text(box)}/ballots", BallotPage, query)

    def ballots(
        self, box: AddressOrText, *, voter: int | None = None, page_size: int = BALLOTS_A_PAGE
    ) -> Iterator[Ballot]:
        """Go through all of an election's ballots, or one voter's, in the order of the hash chain, a page at a time."""
        after = None
        while True:
            page = self.ballots_page(box, after=after, limit=page_size, voter=voter)
            yield from page.ballots
            if page.next is None:
                return
            after = page.next

    def voter_proof(self, box: AddressOrText, address: AddressOrText) -> VoterProof:
        """Return a voter's proof of being in the census, if the server has that; it holds at every block.

        `check_voter_proof` of `qballot.core.census_proof` checks it against the box's own roots.
        """
        path = f"/elections/{_text(box)}/census/{_text(address)}"
        response = self._connection.get(path, {})
        try:
            return load_voter_proof(response.body)
        except InputError as error:
            raise self._unreadable(path, str(error)) from None

    def live(self) -> Alive:
        """Ask whether the server answers."""
        return self._get("/health/live", Alive)

    def ready(self) -> Readiness:
        """Ask whether the index is close behind its chain. That it is not is an answer too, and no error."""
        path = "/health/ready"
        response = self._connection.get(path, {}, accept=frozenset({NOT_READY}))
        if response.status != NOT_READY:
            return self._decode(path, response, Readiness)
        try:
            problem = msgspec.json.decode(response.body, type=dict[str, object])
            return Readiness.model_validate({**problem, "status": "not_ready"})
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, ValidationError):
            # Not the API's own answer, or one that knows no numbers: whatever stands before it, or a broken database.
            message = "the server is not available at the moment"
            raise ApiError(self._connection.name, "unavailable", message, retryable=True) from None

    def _get(self, path: str, kind: type[T], query: Mapping[str, object] | None = None) -> T:
        return self._decode(path, self._connection.get(path, query or {}), kind)

    def _decode(self, path: str, response: Response, kind: type[T]) -> T:
        try:
            return kind.model_validate_json(response.body)
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False)[0]
            place = ".".join(map(str, first["loc"]))
            raise self._unreadable(path, f"{place}: {first['msg']}") from None

    def _unreadable(self, path: str, problem: str) -> ApiError:
        message = f"{path}: the answer is not as it should be: {problem}"
        return ApiError(self._connection.name, "unreadable", message)


def _text(address: AddressOrText) -> str:
    return checksum_address(address if isinstance(address, bytes) else parse_address(address))
