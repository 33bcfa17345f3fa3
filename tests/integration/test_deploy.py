"""The factory and elections stand where computation says, with the code that it says; nothing is spent in vain."""

from __future__ import annotations

import json

import pytest

from qballot.chain.accounts import LocalSigner, devnet_account
from qballot.chain.artifacts import default_factory, default_implementation
from qballot.chain.contracts import FactoryContract, decode_ballot_box_created
from qballot.chain.devnet import Devnet
from qballot.chain.rpc import Rpc
from qballot.core.census import Census, build_census
from qballot.core.provenance import DETERMINISTIC_DEPLOYER
from qballot.core.signing import address_of_key
from qballot.core.types import Address, Hash32, Weight
from qballot.deploy import check_factory, create_election, deploy_factory
from qballot.errors import ChainError, DefinitionError, InputError, ProofError, ToolError
from qballot.testing import make_definition, make_election, make_keys

pytestmark = pytest.mark.integration

SALT = Hash32(b"\x09" * 32)
ELSEWHERE = Address(b"\x77" * 20)


def make_census(voters: int = 3, sheet_bits: int | None = None) -> Census:
    return build_census([(address_of_key(key), Weight(1)) for key in make_keys(voters)], sheet_bits)


def test_deploy_factory__fresh_chain__once_and_where_it_must_be() -> None:
    with Devnet() as fresh:
        account = devnet_account(0)
        first = deploy_factory(fresh.rpc, account)
        assert (first.factory, first.implementation) == (default_factory(), default_implementation())
        assert first.receipt is not None
        assert FactoryContract(fresh.rpc, first.factory).implementation("latest") == first.implementation
        height = fresh.rpc.block().number
        second = deploy_factory(fresh.rpc, account)
        assert second.receipt is None
        assert second.factory == first.factory
        assert fresh.rpc.block().number == height


def test_deploy_factory__no_deterministic_deployer__says_what_to_do(rpc: Rpc, organizer: LocalSigner) -> None:
    rpc.call("anvil_setCode", ["0x" + default_factory().hex(), "0x"])
    rpc.call("anvil_setCode", ["0x" + DETERMINISTIC_DEPLOYER.hex(), "0x"])
    with pytest.raises(ToolError, match="lacks the deterministic deployer 0x4e59b44847b379578588920cA78FbF26c0B4956C"):
        deploy_factory(rpc, organizer)


def test_check_factory__absent_or_other_code__is_refused(rpc: Rpc) -> None:
    with pytest.raises(ChainError, match="no factory stands at"):
        check_factory(rpc, ELSEWHERE)
    code = rpc.code(default_implementation())
    rpc.call("anvil_setCode", ["0x" + default_implementation().hex(), "0x" + code[:-1].hex() + "00"])
    with pytest.raises(ProofError, match="not that of this version's ballot box"):
        check_factory(rpc, default_factory())
    rpc.call("anvil_setCode", ["0x" + default_factory().hex(), "0x00"])
    with pytest.raises(ProofError, match="not that of this version's factory"):
        check_factory(rpc, default_factory())


@pytest.mark.parametrize(("voters", "sheet_bits"), [(1, 0), (5, 10), (5, 1), (4, 1)])
def test_create_election__box__says_what_was_asked_for(devnet: Devnet, voters: int, sheet_bits: int) -> None:
    election = make_election(devnet, voters=voters, sheet_bits=sheet_bits)
    deployment, box, asked = election.deployment, election.box, election.deployment.arguments
    block = deployment.block_number
    assert box.fetch_arguments(block) == asked
    assert box.head(block) == box.definition_hash(block) == asked.definition_hash
    assert box.organizer(block) == asked.organizer
    assert (box.opens_at(block), box.closes_at(block)) == (asked.opens_at, asked.closes_at)
    assert (box.sheet_bits(block), box.voters(block)) == (sheet_bits, voters)
    assert box.max_ballot_bytes(block) == asked.max_ballot_bytes == 3
    roots = tuple(box.sheet_root(sheet, block) for sheet in range(box.sheet_count(block)))
    assert roots == election.census.sheet_roots
    assert FactoryContract(devnet.rpc, deployment.factory).predict(deployment.salt, asked, block) == deployment.box
    created = decode_ballot_box_created(deployment.receipt.logs[0])
    assert (created.box, created.organizer, created.salt) == (deployment.box, asked.organizer, deployment.salt)
    assert (created.definition, created.definition_hash) == (election.definition, asked.definition_hash)
    assert (created.opens_at, created.closes_at) == (asked.opens_at, asked.closes_at)
    assert (created.sheet_bits, created.voters, created.max_ballot_bytes) == (sheet_bits, voters, 3)


def test_create_election__bad_input__costs_nothing(rpc: Rpc, organizer: LocalSigner) -> None:
    now = rpc.block().timestamp
    before = rpc.block(), rpc.balance(organizer.address)
    definition, census = make_definition(), make_census()
    pretty = json.dumps(json.loads(definition), indent=1).encode()

    def create(
        definition: bytes = definition,
        opens_at: int = now + 100,
        closes_at: int = now + 200,
        max_ballot_bytes: int | None = None,
    ) -> None:
        create_election(
            rpc,
            organizer,
            definition,
            census,
            opens_at=opens_at,
            closes_at=closes_at,
            salt=SALT,
            max_ballot_bytes=max_ballot_bytes,
        )

    with pytest.raises(DefinitionError):
        create(pretty)
    with pytest.raises(InputError, match="expected one later than"):
        create(opens_at=now)
    with pytest.raises(InputError, match="opening before the close"):
        create(opens_at=now + 200)
    with pytest.raises(InputError, match="opening before the close"):
        create(closes_at=2**39)
    with pytest.raises(InputError, match="expected at least 3"):
        create(max_ballot_bytes=2)
    with pytest.raises(InputError, match="max_ballot_bytes"):
        create(max_ballot_bytes=2**16)
    assert (rpc.block(), rpc.balance(organizer.address)) == before


def test_create_election__no_factory__costs_nothing(rpc: Rpc, organizer: LocalSigner) -> None:
    now = rpc.block().timestamp
    with pytest.raises(ChainError, match="no factory stands at"):
        create_election(
            rpc,
            organizer,
            make_definition(),
            make_census(),
            opens_at=now + 100,
            closes_at=now + 200,
            salt=SALT,
            factory=ELSEWHERE,
        )


def test_create_election__same_again__is_refused_until_the_salt_differs(devnet: Devnet, organizer: LocalSigner) -> None:
    first = make_election(devnet).deployment
    arguments = first.arguments

    def again(salt: Hash32) -> Address:
        return create_election(
            devnet.rpc,
            organizer,
            make_definition(),
            make_census(5, 10),
            opens_at=arguments.opens_at,
            closes_at=arguments.closes_at,
            salt=salt,
        ).box

    with pytest.raises(InputError, match="choose another salt"):
        again(first.salt)
    assert again(SALT) != first.box
