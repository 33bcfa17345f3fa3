"""Censuses out of real tokens' holders, on a real chain, and what an endpoint or a token may do to them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from deployed import PAYER, TestToken, deploy
from hypothesis import HealthCheck, given
from hypothesis import strategies as st
from properties import examples
from typer.testing import CliRunner, Result

from qballot.census.from_token import TokenRequest, build_token_census, prepare_recipe, reproduce_census
from qballot.chain.answers import Log
from qballot.chain.devnet import Devnet
from qballot.chain.rpc import Rpc
from qballot.cli.census import app
from qballot.core.address import ZERO_ADDRESS, checksum_address
from qballot.core.census import MAX_WEIGHT, Census
from qballot.core.census_file import dump_census, load_census
from qballot.core.census_recipe import TokenKind
from qballot.core.keccak import keccak
from qballot.core.types import Address
from qballot.errors import (
    ChainError,
    DecodeError,
    EndpointError,
    InputError,
    ProofError,
    QballotError,
    ReorgError,
    WrongChainError,
)

pytestmark = pytest.mark.integration

MINT, BURN, TRANSFER = "mint(address,uint256)", "burn(address,uint256)", "transfer(address,uint256)"
DELEGATE = "delegate(address)"
A, B, C, D, E = sorted(Address(keccak(b"holder %d" % number)[:20]) for number in range(5))


def build(token: TestToken, **options: Any) -> Census:
    block = options.pop("block", "latest")
    more = {key: options.pop(key) for key in ("sheet_bits", "block_range") if key in options}
    return build_token_census(token.rpc, TokenRequest(token.address, block, **options), **more)


def votes(census: Census) -> dict[Address, int]:
    return {entry.address: entry.weight for entry in census}


@pytest.fixture
def plain(devnet: Devnet) -> TestToken:
    """A holds 70, B 25, C nothing any more, D 5; 100 in all."""
    devnet.mine(3)
    token = deploy(devnet, "PlainToken")
    for holder, amount in ((C, 60), (B, 25), (A, 30)):
        token.send(MINT, holder, amount)
    token.send(TRANSFER, A, 40, sender=C)
    token.send(TRANSFER, D, 5, sender=C)
    token.send(BURN, C, 15)
    return token


@contextmanager
def changed(rpc: Rpc, name: str, replacement: Any) -> Iterator[None]:
    """Let an endpoint answer otherwise: the transport is real, its answer is not the chain's."""
    setattr(rpc, name, replacement)
    try:
        yield
    finally:
        delattr(rpc, name)


def test_from_token__erc20__is_every_holder_at_the_block_by_address(devnet: Devnet, plain: TestToken) -> None:
    census = build(plain)
    assert [(entry.address, entry.weight) for entry in census] == [(A, 70), (B, 25), (D, 5)]
    recipe = census.recipe
    assert recipe is not None
    block = devnet.rpc.block("latest")
    assert (recipe.chain_id, recipe.token, recipe.kind) == (31337, plain.address, TokenKind.ERC20)
    assert (recipe.block_number, recipe.block_hash) == (block.number, block.hash)
    # Code is there from the deployment on, and not before.
    assert plain.rpc.code(plain.address, recipe.from_block)
    assert not plain.rpc.code(plain.address, recipe.from_block - 1)
    assert load_census(dump_census(census)) == census


def test_from_token__earlier_block__is_as_it_was_then(devnet: Devnet, plain: TestToken) -> None:
    then = devnet.rpc.block("latest").number
    expected = build(plain, block=then)
    plain.send(TRANSFER, E, 70, sender=A)
    assert votes(build(plain)) == {E: 70, B: 25, D: 5}
    assert build(plain, block=then) == expected
    assert votes(build(plain, block=then - 3)) == {A: 30, B: 25, C: 60}


@pytest.mark.parametrize("block_range", [1, 2, 1000])
def test_from_token__ranges_of_any_size__give_the_same_file(plain: TestToken, block_range: int) -> None:
    assert dump_census(build(plain, block_range=block_range)) == dump_census(build(plain))


def test_from_token__divide_min_exclude__round_down_and_leave_out(plain: TestToken) -> None:
    assert votes(build(plain, divide=10)) == {A: 7, B: 2}
    assert votes(build(plain, min_weight=25)) == {A: 70, B: 25}
    assert votes(build(plain, divide=5, min_weight=5)) == {A: 14, B: 5}
    census = build(plain, exclude=[D, A, D])
    assert votes(census) == {B: 25}
    assert census.recipe is not None
    assert census.recipe.exclude == (A, D)
    with pytest.raises(InputError, match="nobody is left of 3 holders"):
        build(plain, divide=71)


def test_from_token__from_block_given__is_kept_and_must_cover_all(plain: TestToken) -> None:
    found = build(plain).recipe
    assert found is not None
    early = build(plain, from_block=0)
    assert early.recipe is not None
    assert early.recipe.from_block == 0
    assert votes(early) == votes(build(plain))
    with pytest.raises(ProofError, match="contradicts its logs for 1 addresses"):
        build(plain, from_block=found.from_block + 2)
    with pytest.raises(InputError, match="from_block must be 0"):
        build(plain, from_block=10**9)


def test_from_token__weights_beyond_96_bits__are_refused_with_a_way_out(devnet: Devnet) -> None:
    token = deploy(devnet, "PlainToken")
    token.send(MINT, A, MAX_WEIGHT)
    assert votes(build(token)) == {A: MAX_WEIGHT}
    token.send(MINT, A, 1)
    with pytest.raises(InputError, match=r"a ballot carries at most 2\*\*96 - 1: divide by more, such as 10"):
        build(token)
    assert votes(build(token, divide=10)) == {A: (MAX_WEIGHT + 1) // 10}
    token.send(MINT, B, 2**255)
    with pytest.raises(InputError, match=f"such as {10**48}"):
        build(token, divide=10)


def test_from_token__delegation__goes_where_holders_sent_it(devnet: Devnet) -> None:
    token = deploy(devnet, "VotesToken")
    for holder, amount in ((A, 10), (B, 20), (C, 30), (D, 40)):
        token.send(MINT, holder, amount)
    token.send(DELEGATE, E, sender=A)
    token.send(DELEGATE, E, sender=B)
    token.send(DELEGATE, C, sender=C)
    assert votes(build(token)) == {A: 10, B: 20, C: 30, D: 40}
    assert votes(build(token, follow_delegation=True)) == {C: 30, D: 40, E: 30}
    # Halves that two holders would lose one by one are whole with their delegate.
    assert votes(build(token, follow_delegation=True, divide=15)) == {C: 2, D: 2, E: 2}
    # Who is left out has units for nobody, and nobody's.
    assert votes(build(token, follow_delegation=True, exclude=[A])) == {C: 30, D: 40, E: 20}
    assert votes(build(token, follow_delegation=True, exclude=[E])) == {C: 30, D: 40}
    token.send(DELEGATE, ZERO_ADDRESS, sender=A)
    token.send(TRANSFER, D, 20, sender=B)
    assert votes(build(token, follow_delegation=True)) == {A: 10, C: 30, D: 60}


def test_from_token__delegation_of_a_token_without__is_refused(plain: TestToken) -> None:
    with pytest.raises(InputError, match="knows no delegation"):
        build(plain, follow_delegation=True)


def test_from_token__old_token__unindexed_events_and_older_words_are_read(devnet: Devnet) -> None:
    token = deploy(devnet, "OldToken")
    token.send(MINT, A, 10)
    token.send(MINT, B, 20)
    token.send(DELEGATE, B, sender=A)
    assert votes(build(token)) == {A: 10, B: 20}
    assert votes(build(token, follow_delegation=True)) == {B: 30}
    # It counts the votes at delegation only: what is minted later contradicts it.
    token.send(MINT, A, 1)
    with pytest.raises(ProofError, match=r"balances of all who delegate 11, getVotes\(\) 10"):
        build(token, follow_delegation=True)


def test_from_token__erc721__is_a_vote_for_each_thing(devnet: Devnet) -> None:
    token = deploy(devnet, "Things")
    for holder, number in ((A, 1), (A, 2), (B, 3), (C, 2**255), (C, 5)):
        token.send(MINT, holder, number)
    token.send("transferFrom(address,address,uint256)", A, B, 1, sender=A)
    token.send("burn(uint256)", 5)
    token.send("burn(uint256)", 2**255)
    census = build(token)
    assert votes(census) == {A: 1, B: 2}
    assert census.recipe is not None
    assert census.recipe.kind is TokenKind.ERC721
    token.send(MINT, D, 5)
    assert votes(build(token)) == {A: 1, B: 2, D: 1}
    assert votes(build(token, kind=TokenKind.ERC721, min_weight=2)) == {B: 2}
    with pytest.raises(ProofError, match="contradicts its logs"):
        build(token, kind=TokenKind.ERC20)


def test_from_token__no_token__is_refused(devnet: Devnet, plain: TestToken) -> None:
    nobody = TestToken(devnet.rpc, A)
    with pytest.raises(InputError, match="there is no contract at"):
        build(nobody)
    with pytest.raises(InputError, match="there is no contract at"):
        build(plain, block=1)
    other = TestToken(devnet.rpc, Address(bytes.fromhex("4e59b44847b379578588920ca78fbf26c0b4956c")))
    with pytest.raises(InputError, match="is no token"):
        build(other)
    empty = deploy(devnet, "PlainToken")
    with pytest.raises(InputError, match="has no Transfer logs"):
        build(empty)


def test_from_token__units_without_a_log__are_noticed(devnet: Devnet) -> None:
    token = deploy(devnet, "SilentToken")
    token.send(MINT, A, 10)
    token.send("mintSilently(address,uint256)", B, 5)
    with pytest.raises(ProofError, match=r"10 units in all, and totalSupply\(\) is 15"):
        build(token)
    census = build(token, ignore_supply=True)
    assert votes(census) == {A: 10}
    assert census.recipe is not None
    assert census.recipe.ignore_supply
    token.send("changeSilently(address,uint256)", A, 11)
    with pytest.raises(ProofError, match=r"Transfer logs 10, balanceOf\(\) 11"):
        build(token, ignore_supply=True)


def test_from_token__burned_to_the_zero_address__is_nobody_s(devnet: Devnet) -> None:
    token = deploy(devnet, "SilentToken")
    token.send(MINT, A, 10)
    token.send("drop(address,uint256)", A, 4)
    assert votes(build(token)) == {A: 6}


def test_from_token__endpoint_leaves_a_log_out__is_noticed(plain: TestToken) -> None:
    honest = plain.rpc.logs

    for position in range(6):

        def logs(*arguments: Any, left_out: int = position) -> list[Log]:
            found = honest(*arguments)
            return found[:left_out] + found[left_out + 1 :]

        with changed(plain.rpc, "logs", logs), pytest.raises(ProofError):
            build(plain)


def test_from_token__endpoint_refuses_long_ranges__halves_them(plain: TestToken) -> None:
    expected = build(plain)
    honest = plain.rpc.logs
    asked: list[int] = []

    def logs(start: int, end: int, *rest: Any) -> list[Log]:
        asked.append(end - start + 1)
        if end - start >= 2:
            raise EndpointError("x", "query returned more than 2 results", retryable=False)
        return honest(start, end, *rest)

    with changed(plain.rpc, "logs", logs):
        assert build(plain, block_range=64) == expected
    assert max(asked) > 2
    assert asked[-1] <= 2

    def never(*_: Any) -> list[Log]:
        raise EndpointError("x", "no")

    with changed(plain.rpc, "logs", never), pytest.raises(EndpointError):
        build(plain)


def test_from_token__block_replaced_meanwhile__is_noticed(devnet: Devnet, plain: TestToken) -> None:
    recipe = prepare_recipe(plain.rpc, TokenRequest(plain.address, "latest"))
    census = build(plain)
    devnet.rpc.call("anvil_setCoinbase", ["0x" + "11" * 20])
    devnet.rpc.call("anvil_reorg", [1, []])
    assert devnet.rpc.block(recipe.block_number).hash != recipe.block_hash
    with pytest.raises(ReorgError):
        reproduce_census(plain.rpc, census)


def test_from_token__no_old_state__says_what_to_do(plain: TestToken) -> None:
    honest = plain.rpc.code

    def code(address: Address, block: Any = "latest") -> bytes:
        if isinstance(block, int) and block < plain.rpc.block("latest").number:
            raise EndpointError("x", "missing trie node", retryable=False)
        return honest(address, block)

    with (
        changed(plain.rpc, "code", code),
        pytest.raises(ChainError, match="--from-block, or use an endpoint that keeps"),
    ):
        build(plain)


def test_from_token__odd_log__is_a_decode_error(plain: TestToken) -> None:
    honest = plain.rpc.logs

    def logs(*arguments: Any) -> list[Log]:
        found = honest(*arguments)
        return [Log(**{**{name: getattr(log, name) for name in log.__struct_fields__}, "data": b"x"}) for log in found]

    with changed(plain.rpc, "logs", logs), pytest.raises(DecodeError, match="expected a Transfer"):
        build(plain)


def test_reproduce__recipe__gives_the_same_or_says_no(devnet: Devnet, plain: TestToken) -> None:
    census = build(plain, sheet_bits=1, divide=5, exclude=[B])
    devnet.mine(5)
    plain.send(MINT, E, 1)
    assert dump_census(reproduce_census(plain.rpc, census, block_range=2)) == dump_census(census)
    without = load_census(dump_census(build(plain)))
    with pytest.raises(InputError, match="has no recipe"):
        reproduce_census(plain.rpc, Census(0, without.addresses, without.weights, (), {}))
    document = json.loads(dump_census(census))
    document["recipe"]["chain_id"] = 1
    other = load_census(json.dumps(document, separators=(",", ":"), sort_keys=True).encode())
    with pytest.raises(WrongChainError):
        reproduce_census(plain.rpc, other)


@examples(15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.tuples(st.sampled_from(["mint", "burn", "move"]), st.integers(0, 3), st.integers(0, 3), st.integers(0, 50)),
        min_size=1,
        max_size=8,
    )
)
def test_from_token__any_history__is_what_the_token_says(
    devnet: Devnet, steps: list[tuple[str, int, int, int]]
) -> None:
    token = deploy(devnet, "PlainToken")
    token.send(MINT, E, 1)
    people, balances = (A, B, C, D), {A: 0, B: 0, C: 0, D: 0, E: 1}
    for what, one, other, amount in steps:
        here, there = people[one], people[other]
        units = min(amount, balances[here])
        if what == "mint":
            token.send(MINT, here, amount)
            balances[here] += amount
        elif what == "burn":
            token.send(BURN, here, units)
            balances[here] -= units
        else:
            token.send(TRANSFER, there, units, sender=here)
            balances[here] -= units
            balances[there] += units
    assert votes(build(token)) == {holder: units for holder, units in balances.items() if units}


def run(devnet: Devnet, *arguments: Any) -> Result:
    words = [checksum_address(item) if isinstance(item, bytes) else str(item) for item in arguments]
    return CliRunner().invoke(app, [*words, "--rpc-url", devnet.url])


def test_cli_from_token__writes_reproduces_and_audits(devnet: Devnet, plain: TestToken, tmp_path: Path) -> None:
    first, second = tmp_path / "first.json", tmp_path / "second.json"
    block = devnet.rpc.block("latest").number
    result = run(devnet, "from-token", plain.address, "--block", block, "-o", first, "--exclude", D)
    assert result.exit_code == 0, result.exception
    assert "voters        2\n" in result.stdout
    assert f"token         {checksum_address(plain.address)} (erc20) on chain 31337\n" in result.stdout
    assert f"left out      {checksum_address(D)}\n" in result.stdout
    assert f"warning: block {block} is not final yet" in result.stderr
    assert "note: the token has 18 decimals; --divide 1e18" in result.stderr
    assert run(devnet, "reproduce", first).stdout == "ok: the recipe gives this census of 2 voters, byte for byte\n"
    plain.send(TRANSFER, plain.address, 20, sender=A)
    assert run(devnet, "from-token", plain.address, "--block", "latest", "-o", second, "--divide", "1e0").exit_code == 0
    assert json.loads(run(devnet, "reproduce", first, "--json").stdout) == {"same": True, "voters": 2}
    audit = json.loads(run(devnet, "audit", first, second, "--json").stdout)
    assert {item["address"] for item in audit["added"]} == {checksum_address(D), checksum_address(plain.address)}
    assert [item["weight"] for item in audit["changed"]] == ["50"]
    assert [item["address"] for item in audit["with_code"]] == [checksum_address(plain.address)]
    assert "contracts at block" in run(devnet, "audit", first, second).stdout


def test_cli_reproduce__recipe_that_gives_another__is_a_mismatch(
    devnet: Devnet, plain: TestToken, tmp_path: Path
) -> None:
    document = json.loads(dump_census(build(plain)))
    document["recipe"]["min_weight"] = "25"
    file = tmp_path / "census.json"
    file.write_text(json.dumps(document, separators=(",", ":"), sort_keys=True))
    error = run(devnet, "reproduce", file).exception
    assert isinstance(error, ProofError)
    assert "the recipe gives another census, of 2 voters and a total weight of 95" in str(error)


@pytest.mark.parametrize(
    ("option", "value"),
    [("--block", "0x10"), ("--block", "-1"), ("--divide", "0"), ("--divide", "1.5"), ("--min", "1e100"), ("--min", "")],
)
def test_cli_from_token__value_that_does_not_fit__is_refused(
    devnet: Devnet, option: str, value: str, tmp_path: Path
) -> None:
    given = {"--block": "latest", option: value}
    words = [word for pair in given.items() for word in pair]
    result = run(devnet, "from-token", A, *words, "-o", tmp_path / "census.json")
    assert isinstance(result.exception, QballotError | SystemExit)
    assert result.exit_code != 0
    assert not (tmp_path / "census.json").exists()


def test_audit__delegated_account__is_told_apart_from_a_contract(
    devnet: Devnet, plain: TestToken, tmp_path: Path
) -> None:
    devnet.rpc.call("anvil_setCode", [checksum_address(B), "0xef0100" + plain.address.hex()])
    voters = tmp_path / "voters.csv"
    voters.write_text("address\n" + "".join(f"{checksum_address(item)}\n" for item in (A, B, plain.address, PAYER)))
    found = json.loads(run(devnet, "audit", voters, voters, "--json").stdout)["with_code"]
    assert {item["address"]: item["delegates_to"] for item in found} == {
        checksum_address(B): checksum_address(plain.address),
        checksum_address(plain.address): None,
    }
    printed = run(devnet, "audit", voters, voters).stdout
    assert f"{checksum_address(B)}  runs {checksum_address(plain.address)}" in printed
