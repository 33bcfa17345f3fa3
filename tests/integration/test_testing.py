"""The fixtures that others build on: an election that is whole, and a chain that every test finds as it was."""

from __future__ import annotations

import pytest

from qballot.chain.accounts import LocalSigner
from qballot.chain.contracts import decode_ballots_cast
from qballot.chain.devnet import Devnet
from qballot.chain.rpc import Rpc
from qballot.core.census import Census
from qballot.core.definition import definition_hash, parse_definition
from qballot.core.records import unpack_records
from qballot.deploy import check_factory
from qballot.errors import ElectionNotOpenError
from qballot.testing import ElectionOnDevnet, Voter, make_definition, make_election, make_voters

pytestmark = pytest.mark.integration

SOUP, SALAD = b"\1\0\0", b"\0\1\0"


def test_election__of_the_fixtures__is_of_their_voters(
    election: ElectionOnDevnet, voters: tuple[Voter, ...], census: Census, rpc: Rpc, organizer: LocalSigner
) -> None:
    arguments = election.deployment.arguments
    assert check_factory(rpc, election.deployment.factory)
    assert (arguments.voters, arguments.organizer) == (len(voters), organizer.address)
    assert arguments.sheet_roots == census.sheet_roots
    assert [(entry.index, entry.address, entry.weight) for entry in census] == [
        (voter.index, voter.address, voter.weight) for voter in voters
    ]
    assert arguments.definition_hash == definition_hash(make_definition())
    with pytest.raises(ElectionNotOpenError):
        election.cast(0, SOUP)


@pytest.mark.parametrize("_again", [1, 2])
def test_devnet__changed_by_a_test__is_back_for_the_next(
    election: ElectionOnDevnet, devnet: Devnet, relayer: LocalSigner, _again: int
) -> None:
    assert devnet.rpc.next_nonces([relayer.address]) == [0]
    assert devnet.rpc.balance(election.voters[1].address) == 0
    assert election.box.head("latest") == election.deployment.arguments.definition_hash
    election.open()
    election.cast(1, SOUP)
    receipts = election.cast_signed([(0, SOUP), (4, SALAD), (0, SALAD)])
    records = [
        [(record.voter, record.ballot) for record in unpack_records(decode_ballots_cast(receipt.logs[0]))]
        for receipt in receipts
    ]
    assert records == [[(0, SOUP), (4, SALAD)], [(0, SALAD)]]
    election.close()
    assert devnet.rpc.block("latest").timestamp >= election.deployment.arguments.closes_at


def test_make_election__of_ones_own__has_what_was_asked_for(devnet: Devnet) -> None:
    definition = make_definition("Dinner", ["pizza", "pasta"])
    dinner = make_election(devnet, voters=make_voters(3, [5, 6, 7]), sheet_bits=1, definition=definition, salt=3)
    assert parse_definition(dinner.definition).title == "Dinner"
    assert (dinner.census.total_weight, dinner.box.sheet_count("latest")) == (18, 2)
    assert dinner.deployment.arguments.max_ballot_bytes == 2
    assert make_election(devnet, voters=3, weights=[5, 6, 7], sheet_bits=1).keys == dinner.keys


def test_voters__made_twice__are_the_same_and_show_no_key() -> None:
    one, other = make_voters(2), make_voters(2)
    assert [voter.address for voter in one] == [voter.address for voter in other]
    assert one[0].signer.reveal().get_secret_value().hex() not in repr(one)
    with pytest.raises(ValueError, match="shorter"):
        make_voters(2, [1])
