"""Putting the question for a range to endpoints, until one answers in a way that the chain can have been."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from indexer.journal import get_journal
from indexer.sync.creation import is_founded
from indexer.sync.fetch import RangeFetcher
from indexer.sync.range_query import FetchedRange, RangeQuery
from indexer.sync.refusing import NobodyHasError, may_be_about_size
from qballot.chain.endpoints import Endpoints
from qballot.chain.rpc import Rpc
from qballot.core.address import checksum_address
from qballot.errors import ChainError, DecodeError, EndpointError, MissingBlockError, ReorgError

RANGES = "ranges"
"""Names this kind of question: an endpoint may tell its latest block at once, and never any logs."""

_log = get_journal("sync")


class RangeAsker:
    """Asks several endpoints for ranges, in order of preference. Safe to share between threads."""

    def __init__(self, endpoints: Endpoints, fetcher: RangeFetcher) -> None:
        self._endpoints = endpoints
        self._fetcher = fetcher

    def fetch(self, query: RangeQuery) -> FetchedRange:
        """Read a range from the first endpoint that gives it.

        One that tells of a box which its factory cannot have made is believed only where all others tell so too.
        Raises DecodeError when every endpoint gives what no contract can have emitted, NobodyHasError when they all
        lack the range's last block, and other ChainErrors.
        """
        garbled: list[DecodeError] = []
        unfounded: list[FetchedRange] = []
        count = len(self._endpoints.members)

        def ask(rpc: Rpc) -> FetchedRange:
            try:
                fetched = self._fetcher.fetch(rpc, query)
            except DecodeError as error:
                garbled.append(error)
                raise EndpointError(rpc.endpoint, f"gave a log that no contract of ours emits: {error}") from error
            wrong = next((election for election in fetched.created if not is_founded(election)), None)
            if wrong is None or count == 1:
                return fetched
            unfounded.append(fetched)
            box = checksum_address(wrong.box)
            raise EndpointError(rpc.endpoint, f"tells of a box {box} that is none: {wrong.invalid_reason}")

        try:
            return self._endpoints.run(ask, about=RANGES)
        except EndpointError as error:
            if isinstance(error, MissingBlockError) and self._is_missing(query.end):
                raise NobodyHasError(error.endpoint, f"no endpoint has block {query.end} yet") from error
            if len(garbled) == count:
                raise garbled[-1] from None
            if unfounded and len(garbled) + len(unfounded) == count:
                return unfounded[0]
            raise

    def fetch_parts(self, query: RangeQuery) -> list[FetchedRange]:
        """Read a range in as many parts as its endpoint asks for, in the order of the chain. Errors as of `fetch`."""
        try:
            return [self.fetch(query)]
        except EndpointError as error:
            if query.blocks == 1 or not may_be_about_size(error):
                raise
            middle = (query.start + query.end) // 2
            first, second = replace(query, end=middle), replace(query, start=middle + 1)
            return [*self.fetch_parts(first), *self.fetch_parts(second)]

    def fetch_from_each(self, query: RangeQuery) -> list[FetchedRange]:
        """Read a range from every endpoint that gives it, in their order; the others are logged."""
        found = []
        for member in self._endpoints.members:
            try:
                found.append(self._endpoints.ask(member, partial(self._fetch_by, query)))
            except (ChainError, DecodeError) as error:
                _log.warning("range not read again", endpoint=member.name, problem=str(error))
        return found

    def blame_broken_link(self, fetched: FetchedRange, error: ReorgError) -> None:
        """Leave an endpoint alone whose range does not even follow the block that it gives itself before it."""
        rpc = fetched.rpc
        try:
            parent = rpc.block(error.number).hash
        except EndpointError as problem:
            _log.warning("endpoint does not tell of a block's parent", endpoint=rpc.endpoint, problem=str(problem))
            return
        if parent != fetched.parent_hash:
            fault = EndpointError(
                rpc.endpoint, f"gave blocks {error.number} and {fetched.query.start} of two different chains"
            )
            _log.warning("an endpoint contradicts itself", endpoint=rpc.endpoint, problem=str(fault))
            self._endpoints.report_fault(rpc, fault)

    def _is_missing(self, block: int) -> bool:
        """Whether no endpoint has a block."""
        try:
            self._endpoints.run(lambda rpc: rpc.block(block))
        except MissingBlockError:
            return True
        except EndpointError:
            pass
        return False

    def _fetch_by(self, query: RangeQuery, rpc: Rpc) -> FetchedRange:
        return self._fetcher.fetch(rpc, query)
