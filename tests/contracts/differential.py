"""The same calls to the contracts on anvil and to their plain model: whatever is called, both must end alike."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import replace

from any_sender import PEOPLE, Chain, encode_cast_signed_raw, encode_create_raw
from drafts import Creation, creations, direct_casts, signed_casts
from generated import censuses
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule
from hypothesis.strategies import DataObject

from qballot.chain.abi import load_function
from qballot.chain.answers import Log
from qballot.chain.artifacts import BALLOT_BOX, default_factory, default_implementation
from qballot.chain.contracts import (
    BALLOT_BOX_CANCELLED,
    decode_ballot_box_created,
    decode_ballots_cast,
    encode_cancel,
    encode_cast,
)
from qballot.core import box_model
from qballot.core.address import checksum_address
from qballot.core.box_model import Applied, BallotBoxCancelled, BallotsCast, Box, Call, Created, Factory, Refusal
from qballot.core.census import Census, hash_leaf
from qballot.core.provenance import BoxArguments, clone_runtime_code
from qballot.core.records import DIRECT_BIT
from qballot.core.types import Address, Hash32, UnixSeconds, VoterIndex, Weight
from qballot.errors import ContractReverted

ORGANIZERS = PEOPLE[:2]
FOREIGN_CLONE = Address(bytes.fromhex("f0") * 20)
"""Where a box stands that the factory did not make: the right code, and no head."""

LONG = (100_000, 2**26, 2**36)
"""Seconds that the first election is open, so that seldom none is: days, years or hundreds of them."""

STRETCHES = (2**9, 2**17, 2**25, 2**33)
"""Seconds that pass now and then, so that times are far apart; the last one leads beyond 32 bits."""

HEAD_SLOT = "0x" + bytes(32).hex()

datas = st.data()


def show(refusal: Refusal) -> tuple[str, dict[str, object]]:
    """A refusal in the form that `ContractReverted` has."""
    shown = {name: _show(value) for name, value in refusal.arguments.items()}
    return refusal.name, shown


def _show(value: int | bytes) -> object:
    if isinstance(value, int):
        return value
    return checksum_address(Address(value)) if len(value) == 20 else "0x" + value.hex()


class ContractsAndModel(RuleBasedStateMachine):
    """Elections of a few voters, created, voted in and cancelled at the seconds that matter.

    chain: put back at the end to where it was. seen: counts what calls came to.
    """

    def __init__(self, chain: Chain, seen: Counter[str]) -> None:
        super().__init__()
        self.chain = chain
        self.seen = seen
        self.chain_id = chain.chain_id
        self.now = UnixSeconds(chain.now + 1)
        self.factory = Factory(default_factory(), {})
        implementation = default_implementation()
        self.strange: dict[Address, Box] = {implementation: Box(implementation, None)}
        self.censuses: dict[Address, Census] = {}
        self.last: tuple[Address, Creation] | None = None
        self.undoing = ExitStack()
        self.undoing.enter_context(chain.undone())

    def teardown(self) -> None:
        self.undoing.close()

    @initialize(data=datas)
    def begin(self, data: DataObject) -> None:
        """A first election, which lasts for long and is open perhaps, and a box that the factory did not make."""
        self._place_foreign_clone()
        census = data.draw(censuses(9, 3), "census")
        drawn = data.draw(creations(census, self.now, faulty=False), "creation")
        closes_at = UnixSeconds(drawn.params.opens_at + data.draw(st.sampled_from(LONG), "open for"))
        creation = replace(drawn, params=replace(drawn.params, closes_at=closes_at))
        self._create(ORGANIZERS[0], census, creation)
        self._approach(data, creation)

    @rule(data=datas)
    def create(self, data: DataObject) -> None:
        organizer = data.draw(st.sampled_from(ORGANIZERS), "organizer")
        if self.last is not None and data.draw(st.integers(0, 3), "again") == 0:
            box, creation = self.last
            census = self.censuses[box]
        else:
            census = data.draw(censuses(9, 3), "census")
            creation = data.draw(creations(census, self.now), "creation")
        if self._create(organizer, census, creation):
            self._approach(data, creation)

    @rule(data=datas)
    def move_clock(self, data: DataObject) -> None:
        """On to one of the next seconds at which an election opens or closes, or just before; or a little, or far."""
        edges = {
            edge - early
            for arguments in map(get_arguments, self.factory.boxes.values())
            for edge in (arguments.opens_at, arguments.closes_at)
            for early in (0, 1)
        }
        later = sorted(edge for edge in edges if edge > self.now)
        stretches = [self.now + stretch for stretch in STRETCHES if self.now + stretch < DIRECT_BIT // 2]
        near = [self.now + 1, *later[:2]]
        self.now = UnixSeconds(data.draw(st.sampled_from(near * 2 + stretches), "now"))

    @rule(data=datas)
    def cast(self, data: DataObject) -> None:
        box = self._draw_election(data)
        drawn = data.draw(direct_casts(self.censuses[box.address], get_arguments(box)), "cast")
        expected = box_model.cast(
            box,
            self._call(drawn.sender),
            voter=drawn.voter,
            weight=drawn.weight,
            ballot=drawn.ballot,
            proof=drawn.proof,
        )
        call = encode_cast(drawn.voter, drawn.weight, drawn.ballot, drawn.proof)
        self._run(drawn.sender, box, call, expected)

    @rule(data=datas, batches=st.integers(1, 4))
    def cast_signed(self, data: DataObject, batches: int) -> None:
        """Some batches in one second."""
        for _ in range(batches):
            box = self._draw_election(data)
            call = self._call(data.draw(st.sampled_from(PEOPLE), "relayer"))
            drawn = data.draw(signed_casts(self.censuses[box.address], box, call), "batch")
            expected = box_model.cast_signed(box, call, drawn.batch, drawn.proof)
            self._run(call.sender, box, encode_cast_signed_raw(drawn.batch, drawn.proof), expected)

    @rule(data=datas)
    def call_what_is_seldom_called(self, data: DataObject) -> None:
        """On any box, the foreign one and the implementation too."""
        boxes = {**self.strange, **self.factory.boxes}
        box = boxes[data.draw(st.sampled_from(list(boxes)[::-1]), "box")]
        call = self._call(data.draw(st.sampled_from(ORGANIZERS), "sender"))
        match data.draw(st.sampled_from(["cancel", "initialize", "castSigned"]), "function"):
            case "cancel":
                self._run(call.sender, box, encode_cancel(), box_model.cancel(box, call))
            case "initialize":
                encoded = load_function(BALLOT_BOX, "initialize").encode()
                self._run(call.sender, box, encoded, box_model.initialize(box))
            case _:
                self._run(call.sender, box, encode_cast_signed_raw(b"", []), box_model.cast_signed(box, call, b"", []))

    def _place_foreign_clone(self) -> None:
        """Put the code of an election of one voter where the factory never would, as on a chain with other rules."""
        arguments = BoxArguments(
            definition_hash=Hash32(b"\x01" * 32),
            organizer=ORGANIZERS[0],
            opens_at=UnixSeconds(self.now + 2),
            closes_at=UnixSeconds(self.now + 30),
            sheet_bits=0,
            voters=1,
            max_ballot_bytes=4,
            sheet_roots=(hash_leaf(VoterIndex(0), PEOPLE[0], Weight(1)),),
        )
        code = clone_runtime_code(default_implementation(), arguments)
        self.chain.rpc.call("anvil_setCode", ["0x" + FOREIGN_CLONE.hex(), "0x" + code.hex()])
        self.strange[FOREIGN_CLONE] = Box(FOREIGN_CLONE, arguments)

    def _approach(self, data: DataObject, creation: Creation) -> None:
        """Go to the opening of a new election or just before or after, or stay."""
        opens_at = creation.params.opens_at
        self.now = UnixSeconds(data.draw(st.sampled_from([opens_at, opens_at + 1, opens_at - 1, self.now]), "now"))

    def _create(self, organizer: Address, census: Census, creation: Creation) -> bool:
        """Create an election on the chain and in the model, or see it refused by both; say which."""
        expected = box_model.create(
            self.factory,
            self._call(organizer),
            params=creation.params,
            sheet_roots=creation.sheet_roots,
            salt=creation.salt,
            definition=creation.definition,
        )
        data = encode_create_raw(creation.params, creation.sheet_roots, creation.salt, creation.definition)
        logs = self._send(organizer, self.factory.address, data, expected)
        if isinstance(expected, Created):
            event = decode_ballot_box_created(logs[0])
            assert (event.box, event.organizer, event.salt) == (expected.box.address, organizer, creation.salt)
            assert (event.definition, event.text_ballots) == (creation.definition, creation.params.text_ballots)
            assert (len(logs), event.definition_hash) == (1, expected.box.head)
            self.factory = expected.factory
            self.censuses[event.box] = census
            self.last = event.box, creation
        self._compare_heads()
        return isinstance(expected, Created)

    def _run(self, sender: Address, box: Box, data: bytes, expected: Applied | Refusal) -> None:
        """Send a box's call to the chain and hold the outcome, its events and all heads against the model's."""
        logs = self._send(sender, box.address, data, expected)
        if isinstance(expected, Applied):
            assert all(log.address == box.address for log in logs)
            assert _decode(logs) == ([] if expected.event is None else [expected.event])
            if box.address in self.strange:
                self.strange[box.address] = expected.box
            else:
                self.factory = Factory(self.factory.address, {**self.factory.boxes, box.address: expected.box})
        self._compare_heads()

    def _send(
        self, sender: Address, to: Address, data: bytes, expected: Applied | Created | Refusal
    ) -> tuple[Log, ...]:
        outcome: tuple[str, dict[str, object]] | None = None
        logs: tuple[Log, ...] = ()
        try:
            logs = self.chain.transact(sender, to, data, self.now)
        except ContractReverted as error:
            outcome = error.name, error.arguments
        assert outcome == (show(expected) if isinstance(expected, Refusal) else None)
        self.seen[_name(expected)] += 1
        return logs

    def _compare_heads(self) -> None:
        boxes = [*self.strange.values(), *self.factory.boxes.values()]
        requests = [("eth_getStorageAt", ["0x" + box.address.hex(), HEAD_SLOT, "latest"]) for box in boxes]
        found = [bytes.fromhex(slot[2:]) for slot in self.chain.rpc.call_many(requests)]
        assert found == [box.head for box in boxes]

    def _call(self, sender: Address) -> Call:
        return Call(sender, self.now, self.chain_id)

    def _draw_election(self, data: DataObject) -> Box:
        """One that the factory made, an open one in most cases."""
        boxes = list(self.factory.boxes.values())[::-1]
        is_open = [box for box in boxes if get_arguments(box).opens_at <= self.now < get_arguments(box).closes_at]
        return data.draw(st.sampled_from(is_open * 3 + boxes), "box")


def get_arguments(box: Box) -> BoxArguments:
    """The arguments of a box that is no implementation."""
    assert box.arguments is not None
    return box.arguments


def _name(expected: Applied | Created | Refusal) -> str:
    if isinstance(expected, Refusal):
        return expected.name
    if isinstance(expected, Created):
        return "created"
    return "initialized" if expected.event is None else f"event {type(expected.event).__name__}"


def _decode(logs: Sequence[Log]) -> list[BallotsCast | BallotBoxCancelled]:
    return [
        BallotBoxCancelled() if log.topics == (BALLOT_BOX_CANCELLED,) else BallotsCast(decode_ballots_cast(log))
        for log in logs
    ]
