"""Reading one range of blocks from an endpoint, with all that can be checked about the answers.

    headers ─▶ logs ─▶ logs of boxes that are new ─▶ headers of blocks with logs, the last one again ─▶ complete?

All headers of a range are read where it has few blocks or ends above the final one. Then they must follow each other,
and each block's filter must allow what was said of its logs. Of a long range in the past only some are read, and
`states.py` says how it is checked to be complete.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from itertools import islice

from indexer.storage.model import Block, Election
from indexer.sync.blooms import may_hide_logs, tells_anything
from indexer.sync.checks import TOPICS, check_blocks, check_links, look_again
from indexer.sync.creation import build_election, is_founded
from indexer.sync.events import BoxEvent, read_event, read_source
from indexer.sync.evidence import Evidence
from indexer.sync.range_query import FetchedRange, RangeQuery
from indexer.sync.states import Gap, find_gap
from qballot.chain.answers import BlockHeader, Log
from qballot.chain.artifacts import default_factory
from qballot.chain.contracts import BALLOT_BOX_CREATED, decode_ballot_box_created, read_address_topic
from qballot.chain.rpc import MAX_BATCH_REQUESTS, Rpc
from qballot.core.address import checksum_address
from qballot.core.types import Address, Hash32
from qballot.errors import (
    AnswerTooLargeError,
    EndpointError,
    MissingBlockError,
    RangeTooWideError,
)

MAX_ADDRESSES = 500
"""Boxes that are asked for by address, providers commonly take a thousand; where there are more, anyone's logs are."""

MAX_FILTERED_BOXES = 100
"""Boxes without logs whose heads are compared where filters have spoken for them; where none have, all are."""

MAX_RANGE_BYTES = 16 * 1024 * 1024
"""Of an answer, and of the data of a range's logs, where the range is more than one block: less can be asked for."""


class RangeFetcher:
    """Reads ranges of one factory's elections. Safe to share between threads."""

    def __init__(self, factory: Address, implementation: Address) -> None:
        self._factory = factory
        self._implementation = implementation
        self._evidence = Evidence()

    def fetch(self, rpc: Rpc, query: RangeQuery) -> FetchedRange:
        """Read a range from one endpoint.

        Raises EndpointError when the answers do not fit together, or do not fit to the chain: MissingBlockError when
        the endpoint does not have all of it, RangeTooWideError and AnswerTooLargeError when fewer blocks are to be
        asked for. Raises DecodeError for what the contracts cannot have emitted.
        """
        headers = _fetch_headers(rpc, query)
        logs = self._fetch_logs(rpc, query)
        creations = [log for log in logs if log.address == self._factory]
        new = {read_address_topic(log.topics[1]): log for log in creations if len(log.topics) > 1}
        if new and self._by_address(query):
            logs = sorted((*logs, *_ask_logs(rpc, query, list(new), TOPICS[1:])), key=_place)
        size = sum([len(log.data) for log in logs])
        if size > MAX_RANGE_BYTES and query.blocks > 1:
            raise AnswerTooLargeError(rpc.endpoint, limit=MAX_RANGE_BYTES)
        boxes = query.boxes | new.keys()
        logs = [log for log in logs if log.address in boxes or log.address == self._factory]
        check_blocks(rpc, query.end, headers, logs)
        events = [read_event(log) for log in logs if log.address in boxes]
        created = self._read_creations(rpc, creations)
        if query.linked:
            self._check_blooms(rpc, headers.values(), logs, query, boxes)
        filtered = query.linked and all(tells_anything(header.logs_bloom) for header in headers.values())
        if logs or not filtered:
            # A filter does not tell how many logs of a box a block has.
            self._check_complete(rpc, query, created, logs, events, filtered=filtered)
        return FetchedRange(
            query=query,
            rpc=rpc,
            parent_hash=headers[query.start].parent_hash,
            until=to_block(headers[query.end]),
            blocks=[to_block(header) for header in headers.values()] if query.linked else [],
            created=created,
            events=events,
            logs=len(logs),
            size=size,
        )

    def _by_address(self, query: RangeQuery) -> bool:
        return len(query.boxes) <= MAX_ADDRESSES

    def _fetch_logs(self, rpc: Rpc, query: RangeQuery) -> list[Log]:
        """Read what the factory and the known boxes emitted: one request, however many boxes there are."""
        asked = {*query.boxes, self._factory} if query.with_factory else query.boxes
        logs = _ask_logs(rpc, query, sorted(asked) if self._by_address(query) else None, TOPICS)
        # The factory's event under a box's address, and the other way round, are another contract's.
        factory = self._factory if query.with_factory else None
        return [log for log in logs if (log.topics[0] == BALLOT_BOX_CREATED) == (log.address == factory)]

    def _read_creations(self, rpc: Rpc, logs: Sequence[Log]) -> list[Election]:
        events = [decode_ballot_box_created(log) for log in logs]
        # Code never changes, so the latest block will do, which every node can answer for.
        codes = rpc.codes([event.box for event in events], "latest")
        elections = []
        for log, event, code in zip(logs, events, codes, strict=True):
            if not code:
                raise EndpointError(
                    rpc.endpoint, f"has no code at {checksum_address(event.box)}, whose creation it reported"
                )
            election = build_election(
                event, read_source(log), code, factory=self._factory, implementation=self._implementation
            )
            if self._factory == default_factory() and not is_founded(election):
                # That factory's code is known, and creates no such box: the event or the box's code is not the chain's.
                raise EndpointError(rpc.endpoint, f"gave the wrong code or creation event: {election.invalid_reason}")
            elections.append(election)
        return elections

    def _check_blooms(
        self,
        rpc: Rpc,
        headers: Iterable[BlockHeader],
        logs: Sequence[Log],
        query: RangeQuery,
        boxes: Collection[Address],
    ) -> None:
        """Check that no block has logs that were not given. Raises EndpointError."""
        givers: dict[int, set[Address]] = {}
        for log in logs:
            givers.setdefault(log.block_number, set()).add(log.address)
        factory = self._factory if query.with_factory else None
        for header in headers:
            given = givers.get(header.number, set())
            if may_hide_logs(header.logs_bloom, given, factory=factory, boxes=boxes):
                look_again(rpc, header, {*boxes, self._factory} - given)

    def _check_complete(
        self,
        rpc: Rpc,
        query: RangeQuery,
        created: Sequence[Election],
        logs: Sequence[Log],
        events: Sequence[BoxEvent],
        *,
        filtered: bool,
    ) -> None:
        """Check a range by what the chain remembers; where the endpoint does not have that, by what else there is.

        filtered: whether filters have told already that boxes without logs emitted nothing.
        """
        if not self._evidence.asks_state(rpc, query.end):
            self._check_age(rpc, query)
            return
        new = {election.box: election.arguments.definition_hash for election in created}
        factory = self._factory if query.with_factory else None
        boxes = query.boxes
        if filtered:
            emitters = {event.box for event in events}
            boxes = frozenset(islice(boxes - emitters, MAX_FILTERED_BOXES)) | (boxes & emitters)
        try:
            gap = find_gap(rpc, query.start, query.end, factory=factory, created=new, boxes=boxes, events=events)
        except MissingBlockError:
            self._evidence.note_no_state(rpc, query.end)
            self._check_age(rpc, query)
            return
        if gap is not None:
            self._settle_gap(rpc, query, logs, gap)

    def _check_age(self, rpc: Rpc, query: RangeQuery) -> None:
        if not query.linked:
            self._evidence.check_age(rpc, query.start, query.end)

    def _settle_gap(self, rpc: Rpc, query: RangeQuery, logs: Sequence[Log], gap: Gap) -> None:
        """Find the block that a gap is in, by reading all headers after all. Raises EndpointError when there is one."""
        boxes = query.boxes | {read_address_topic(log.topics[1]) for log in logs if log.address == self._factory}
        unknown = False
        for start in range(query.start, query.end + 1, MAX_BATCH_REQUESTS):
            headers = rpc.blocks(range(start, min(start + MAX_BATCH_REQUESTS - 1, query.end) + 1))
            unknown = unknown or not all(header.logs_bloom for header in headers)
            self._check_blooms(rpc, headers, logs, query, boxes)
        if unknown or gap.is_sure:
            raise EndpointError(rpc.endpoint, f"blocks {query.start} to {query.end} are not complete: {gap.reason}")
        # Every filter allows the logs as they are: it is the endpoint's old states that cannot be relied on.
        self._evidence.distrust_state(rpc)


def to_block(header: BlockHeader) -> Block:
    """Take from a header what the index keeps of a block."""
    return Block(header.number, header.hash, header.timestamp)


def _fetch_headers(rpc: Rpc, query: RangeQuery) -> dict[int, BlockHeader]:
    """Read all headers of a range, or the first and the last one. That the last is there says that all of them are."""
    if query.known_header is not None and query.known_header[0] is rpc:
        return {query.end: query.known_header[1]}
    asked = range(query.start, query.end + 1) if query.linked else sorted({query.start, query.end})
    headers = rpc.blocks(asked)
    if query.linked:
        check_links(rpc, headers)
    return {header.number: header for header in headers}


def _ask_logs(rpc: Rpc, query: RangeQuery, addresses: Sequence[Address] | None, topics: Sequence[Hash32]) -> list[Log]:
    try:
        max_bytes = MAX_RANGE_BYTES if query.blocks > 1 else None
        return rpc.logs(query.start, query.end, addresses, [topics], max_bytes=max_bytes)
    except RangeTooWideError as error:
        if query.blocks > 1:
            raise
        # Fewer than one cannot be asked for: it is for another endpoint, or for a better moment.
        message = f"does not even answer for block {query.start} alone: {error}"
        raise EndpointError(rpc.endpoint, message, code=error.code) from error


def _place(log: Log) -> tuple[int, int]:
    return log.block_number, log.log_index
