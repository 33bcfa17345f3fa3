"""What ape compiles is what we ship, and an election runs through under ape, with ape's accounts."""

from __future__ import annotations

import re
from typing import Any

import ape
import pytest

from qballot.cast import Batch, cast_batch, cast_direct, sign_ballot
from qballot.chain.ape_account import ApeSigner
from qballot.chain.ape_bridge import ApeSession
from qballot.chain.artifacts import BALLOT_BOX, BALLOT_BOX_FACTORY, CONTRACTS, default_factory, load_artifact
from qballot.chain.contracts import BallotBoxContract, encode_cancel
from qballot.chain.rpc import Rpc
from qballot.chain.transactions import Call, send
from qballot.compile import COMPILER_SETTINGS, SOLC_VERSION
from qballot.core.address import checksum_address
from qballot.core.census import build_census
from qballot.core.records import CANCELLED_HEAD
from qballot.core.types import Hash32, Weight
from qballot.deploy import ElectionDeployment, create_election
from qballot.errors import ContractReverted, ElectionNotOpenError, InputError
from qballot.testing import make_definition

pytestmark = pytest.mark.integration

SOUP, SALAD = b"\1\0\0", b"\0\1\0"

METADATA = re.compile(rb"\xa2\x64ipfs\x58\x22\x12\x20(.{32})\x64solc\x43\x00\x08\x25", re.DOTALL)
"""How solc 0.8.37 ends a contract's code; the group is the hash of its metadata, which names sources and remappings."""


def without_metadata(code: bytes) -> bytes:
    """Put zeros in the place of every metadata's hash."""
    return METADATA.sub(lambda found: found.group(0).replace(found.group(1), bytes(32)), code)


def test_compiler__settings__are_those_of_qballot_compile(project: Any) -> None:
    project.load_contracts()
    (compiler,) = project.manifest.compilers
    assert compiler.version.split("+")[0] == SOLC_VERSION
    assert {name: compiler.settings[name] for name in COMPILER_SETTINGS} == COMPILER_SETTINGS
    ours = {*COMPILER_SETTINGS, "outputSelection", "remappings"}
    assert set(compiler.settings) == ours, "ape sets something that qballot compile does not"


@pytest.mark.parametrize("name", CONTRACTS)
def test_compiler__bytecode__differs_in_the_hash_of_the_metadata_alone(project: Any, name: str) -> None:
    artifact = load_artifact(name)
    found = project.contracts[name]
    for code, committed in (
        (found.contract_type.deployment_bytecode.bytecode, artifact.bytecode),
        (found.contract_type.runtime_bytecode.bytecode, artifact.runtime_bytecode),
    ):
        assert METADATA.search(committed)
        assert without_metadata(bytes.fromhex(code[2:])) == without_metadata(committed)
    assert {event.name for event in found.contract_type.events} == {
        item["name"] for item in artifact.abi if item["type"] == "event"
    }


def test_factory__through_ape__is_where_it_must_be(rpc: Rpc, Contract: Any) -> None:  # noqa: N803 # ape's fixture
    factory = Contract(checksum_address(default_factory()), abi=load_artifact(BALLOT_BOX_FACTORY).abi)
    box = Contract(factory.implementation(), abi=load_artifact(BALLOT_BOX).abi)
    assert bytes(box.CANCELLED_HEAD()) == CANCELLED_HEAD
    assert factory.MAX_SHEET_BITS() == 16


@pytest.fixture
def people(accounts: Any) -> list[ApeSigner]:
    """The first of ape's test accounts."""
    return [ApeSigner(accounts[index]) for index in range(4)]


@pytest.fixture
def election(rpc: Rpc, people: list[ApeSigner]) -> ElectionDeployment:
    """An election of the first account, in which all may vote."""
    census = build_census([(person.address, Weight(1 + index)) for index, person in enumerate(people)], 1)
    now = rpc.block().timestamp
    return create_election(
        rpc,
        people[0],
        make_definition(),
        census,
        opens_at=now + 1_000,
        closes_at=now + 2_000,
        salt=Hash32(bytes(32)),
    )


def warp(chain: Any, to_unix: int) -> None:
    chain.pending_timestamp = to_unix
    chain.mine()


def test_election__with_ape_accounts__takes_ballots_of_both_kinds(
    rpc: Rpc,
    chain: Any,
    people: list[ApeSigner],
    election: ElectionDeployment,
    Contract: Any,  # noqa: N803
) -> None:
    census = build_census([(person.address, Weight(1 + index)) for index, person in enumerate(people)], 1)
    with pytest.raises(ElectionNotOpenError):
        cast_direct(rpc, people[1], election.box, census, SOUP)
    warp(chain, election.arguments.opens_at)
    receipt = cast_direct(rpc, people[1], election.box, census, SOUP)
    assert len(receipt.logs) == 1
    signed = [
        sign_ballot(
            people[index],
            census.entry(index),
            SALAD,
            chain_id=rpc.chain_id(),
            box=election.box,
            cast_at=rpc.block().timestamp,
        )
        for index in (2, 3)
    ]
    cast_batch(rpc, people[0], election.box, census, Batch(1, tuple(signed)))
    box = Contract(checksum_address(election.box), abi=load_artifact(BALLOT_BOX).abi)
    assert bytes(box.head()) == BallotBoxContract(rpc, election.box).head("latest")
    assert bytes(box.head()) != election.arguments.definition_hash
    assert (box.voters(), box.sheetCount(), box.organizer()) == (4, 2, checksum_address(people[0].address))


def test_election__cast_through_ape__is_refused_by_name(
    rpc: Rpc,
    chain: Any,
    accounts: Any,
    election: ElectionDeployment,
    Contract: Any,  # noqa: N803
) -> None:
    box = Contract(checksum_address(election.box), abi=load_artifact(BALLOT_BOX).abi)
    with ape.reverts(box.BallotBoxNotOpen):
        box.cast(0, 1, SOUP, [], sender=accounts[0])
    warp(chain, election.arguments.opens_at)
    with pytest.raises(ContractReverted) as caught:
        send(rpc, ApeSigner(accounts[1]), Call(election.box, encode_cancel()))
    assert caught.value.name.startswith("BallotBox")


def test_election__cancelled_with_an_ape_account__is_over(
    rpc: Rpc, people: list[ApeSigner], election: ElectionDeployment
) -> None:
    send(rpc, people[0], Call(election.box, encode_cancel()))
    assert BallotBoxContract(rpc, election.box).head("latest") == CANCELLED_HEAD


def test_session__account_that_is_not_there__is_named(session: ApeSession) -> None:
    with pytest.raises(InputError, match="ape has no account 'nobody'"):
        session.load_signer("nobody")
