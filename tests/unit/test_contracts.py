"""Calls, events and errors agree with the ABI that comes with the package; other bytes are refused."""

from __future__ import annotations

from typing import Any, cast

import pytest
from eth_abi.abi import decode, encode
from eth_utils.abi import event_abi_to_log_topic
from hypothesis import given
from hypothesis import strategies as st

from qballot.chain.abi import load_errors
from qballot.chain.answers import Log
from qballot.chain.artifacts import BALLOT_BOX, BALLOT_BOX_FACTORY, CONTRACTS, load_artifact
from qballot.chain.contracts import (
    BALLOT_BOX_CANCELLED,
    BALLOT_BOX_CREATED,
    BALLOTS_CAST,
    PARAMS_TYPE,
    decode_ballot_box_created,
    decode_ballots_cast,
    encode_cancel,
    encode_cast,
    encode_cast_signed,
    read_address_topic,
)
from qballot.chain.reverts import decode_revert
from qballot.core.keccak import keccak
from qballot.core.packed_batch import pack_batch
from qballot.core.records import Record, SignedRecord
from qballot.core.types import Address, BlockNumber, Hash32, VoterIndex, Weight
from qballot.errors import DecodeError, InputError

pytestmark = pytest.mark.unit


# A value of each type that errors have, and how it is shown.
VALUES: dict[str, tuple[Any, Any]] = {
    "uint256": (5, 5),
    "address": (b"\x77" * 20, "0x" + "77" * 20),
    "bytes32": (b"\xab" * 32, "0x" + "ab" * 32),
}


def make_log(topics: tuple[Hash32, ...], data: bytes) -> Log:
    none = Hash32(bytes(32))
    return Log(Address(bytes(20)), topics, data, BlockNumber(1), none, none, 0)


def test_topics__constants__are_those_of_the_abi() -> None:
    abi = load_artifact(BALLOT_BOX).abi + load_artifact(BALLOT_BOX_FACTORY).abi
    topics = {entry["name"]: event_abi_to_log_topic(cast(Any, entry)) for entry in abi if entry["type"] == "event"}
    assert topics == {
        "BallotBoxCreated": BALLOT_BOX_CREATED,
        "BallotsCast": BALLOTS_CAST,
        "BallotBoxCancelled": BALLOT_BOX_CANCELLED,
    }


def test_encode__calls__start_with_their_selectors() -> None:
    assert encode_cancel() == keccak(b"cancel()")[:4]
    data = encode_cast(VoterIndex(7), Weight(9), b"\x01\xff", [Hash32(b"\x22" * 32)])
    assert data[:4] == keccak(b"cast(uint32,uint96,bytes,bytes32[])")[:4]
    assert decode(["uint32", "uint96", "bytes", "bytes32[]"], data[4:]) == (7, 9, b"\x01\xff", (b"\x22" * 32,))
    ballot = SignedRecord(Record(VoterIndex(7), 1, Weight(9), b"\x01\xff"), b"r" * 32, b"v" * 32)
    signed = encode_cast_signed([ballot], [Hash32(b"\x22" * 32)])
    assert signed[:4] == keccak(b"castSigned(bytes,bytes32[])")[:4]
    assert decode(["bytes", "bytes32[]"], signed[4:]) == (pack_batch([ballot]), (b"\x22" * 32,))
    with pytest.raises(InputError, match="at least one ballot"):
        encode_cast_signed([], [])


@pytest.mark.parametrize("text_ballots", [False, True])
def test_decode_ballot_box_created__event_of_the_factory__has_all_rules(text_ballots: bool) -> None:
    rules = (2**39 - 2, 2**39 - 1, 16, 2**32 - 1, 2**16 - 1, text_ballots)
    data = encode([PARAMS_TYPE, "bytes32", "bytes"], [rules, b"\x33" * 32, b"a definition"])
    box, organizer, definition_hash = bytes(12) + b"\x01" * 20, bytes(12) + b"\x02" * 20, keccak(b"a definition")
    topics = (BALLOT_BOX_CREATED, Hash32(box), Hash32(organizer), definition_hash)
    created = decode_ballot_box_created(make_log(topics, data))
    found = (
        created.opens_at,
        created.closes_at,
        created.sheet_bits,
        created.voters,
        created.max_ballot_bytes,
        created.text_ballots,
    )
    assert found == rules
    assert (created.box, created.organizer, created.definition_hash) == (box[12:], organizer[12:], definition_hash)
    assert (created.salt, created.definition) == (b"\x33" * 32, b"a definition")


@given(st.binary(max_size=200))
def test_decode_ballots_cast__any_records__are_cut_out(records: bytes) -> None:
    assert decode_ballots_cast(make_log((BALLOTS_CAST,), encode(["bytes"], [records]))) == records


@pytest.mark.parametrize(
    "data",
    [
        b"",
        bytes(32),
        (32).to_bytes(32),
        (32).to_bytes(32) + (1).to_bytes(32),
        (32).to_bytes(32) + (1).to_bytes(32) + b"\x01",
        (32).to_bytes(32) + (1).to_bytes(32) + b"\x01" * 32,
        (32).to_bytes(32) + (33).to_bytes(32) + b"\x01" * 32,
        (64).to_bytes(32) + (0).to_bytes(32),
        encode(["bytes"], [b"\x01"]) + bytes(32),
    ],
)
def test_decode_ballots_cast__data_of_another_form__is_refused(data: bytes) -> None:
    with pytest.raises(DecodeError, match="expected one ABI-encoded"):
        decode_ballots_cast(make_log((BALLOTS_CAST,), data))


def test_decode__log_of_another_event__is_refused() -> None:
    for topics in ((), (BALLOT_BOX_CREATED,), (BALLOTS_CAST, BALLOTS_CAST)):
        with pytest.raises(DecodeError, match="expected 1, 0x"):
            decode_ballots_cast(make_log(topics, encode(["bytes"], [b""])))
    with pytest.raises(DecodeError, match="expected 4, 0x"):
        decode_ballot_box_created(make_log((BALLOT_BOX_CREATED,), b""))
    with pytest.raises(DecodeError):
        decode_ballot_box_created(make_log((BALLOT_BOX_CREATED, *[Hash32(bytes(32))] * 3), b"\x01" * 40))


def test_decode_ballot_box_created__length_beyond_any_memory__is_refused() -> None:
    head = encode([PARAMS_TYPE, "bytes32"], [(1, 2, 3, 4, 5, False), bytes(32)])
    for place in ((len(head) + 32).to_bytes(32) + b"\xff" * 32, b"\xff" * 32, (2**63).to_bytes(32)):
        with pytest.raises(DecodeError, match="expected"):
            decode_ballot_box_created(make_log((BALLOT_BOX_CREATED, *[Hash32(bytes(32))] * 3), head + place))


def test_read_address_topic__bytes_before_the_address__are_refused() -> None:
    assert read_address_topic(Hash32(bytes(12) + b"\x07" * 20)) == b"\x07" * 20
    with pytest.raises(DecodeError, match="expected an address after 12 zeros"):
        read_address_topic(Hash32(bytes(11) + b"\x01" + b"\x07" * 20))


def test_decode_revert__every_error_of_the_contracts__has_name_and_values() -> None:
    for error in (error for contract in CONTRACTS for error in load_errors(contract)):
        values = [VALUES[kind][0] for kind in error.input_types]
        shown = [VALUES[kind][1] for kind in error.input_types]
        reverted = decode_revert(error.encode(*values))
        assert (reverted.name, list(reverted.arguments), list(reverted.arguments.values())) == (
            error.name,
            list(error.input_names),
            shown,
        )
        assert str(reverted).endswith(f"): {reverted.advice}")
        assert len(reverted.advice) > 20


def test_decode_revert__foreign_or_damaged_data__is_shown_as_it_is() -> None:
    assert decode_revert(b"").name == "EmptyRevert"
    assert str(decode_revert(bytes.fromhex("deadbeef00"))).startswith(
        "the contract refused: 0xdeadbeef(): this error is"
    )
    text = decode_revert(bytes.fromhex("08c379a0") + encode(["string"], ["no"]))
    assert (text.name, text.arguments) == ("Error", {"message": "no"})
    damaged = decode_revert(bytes.fromhex("4e487b71aa"))
    assert (damaged.name, damaged.arguments, damaged.data) == ("Panic", {"data": "0xaa"}, bytes.fromhex("4e487b71aa"))
