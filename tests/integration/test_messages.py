"""What goes wrong is named, with what was found and what was expected, and says what to do next. On a real chain
where it can be made to happen there, else with an endpoint that says what other nodes say."""

from __future__ import annotations

import socket
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from bad_endpoint import answer, fault, respond, result, run_bad_endpoint
from commands import Commands

from qballot.cast import Batch, cast_batch, cast_direct
from qballot.chain.accounts import LocalSigner, devnet_account
from qballot.chain.contracts import encode_cancel, encode_cast
from qballot.chain.devnet import Devnet
from qballot.chain.rpc import Rpc
from qballot.chain.transactions import (
    Call,
    Fees,
    SignedTransaction,
    fetch_fees,
    quote,
    send,
    send_quoted,
    sign_transaction,
    submit,
)
from qballot.core.address import checksum_address
from qballot.core.types import Address
from qballot.errors import (
    AlreadyKnownError,
    ChainError,
    ContractReverted,
    ElectionCancelledError,
    ElectionClosedError,
    ElectionError,
    ElectionNotOpenError,
    GasRefusedError,
    InputError,
    InsufficientFundsError,
    NonceTooLowError,
    NotInCensusError,
    TransactionRefused,
    UnderpricedError,
    WrongChainError,
    WrongSheetError,
)
from qballot.testing import ElectionOnDevnet, make_election

pytestmark = pytest.mark.integration

SOMEONE = Address(b"\x77" * 20)
SOUP = b"\x01\x00\x00"


@pytest.fixture
def commands(
    devnet: Devnet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Commands:
    return Commands(tmp_path, devnet.url, monkeypatch, capsys)


def sign(
    rpc: Rpc, signer: LocalSigner, *, nonce: int | None = None, fees: Fees | None = None, gas: int = 21_000
) -> SignedTransaction:
    nonce = rpc.next_nonces([signer.address])[0] if nonce is None else nonce
    return sign_transaction(
        signer, Call(SOMEONE, b""), rpc.chain_id(), nonce=nonce, gas=gas, fees=fees or fetch_fees(rpc)
    )


def refuse(rpc: Rpc, signed: SignedTransaction, kind: type[TransactionRefused]) -> str:
    """Submit what the node refuses; return the message, which ends with the advice."""
    with pytest.raises(kind) as caught:
        submit(rpc, [signed])
    assert type(caught.value) is kind
    assert str(caught.value).endswith(kind.advice)
    assert not caught.value.retryable
    return str(caught.value)


def test_message__wrong_network__names_both_and_the_settings(devnet: Devnet, commands: Commands) -> None:
    for arguments in (["deploy", "factory", "--network", "sepolia", "--yes"], ["deploy", "check", "0x" + "77" * 20]):
        done = commands.run(*arguments, network="sepolia")
        assert (done.status, done.stdout) == (1, "")
        assert "the endpoint serves chain 31337, expected chain 11155111: set QBALLOT_RPC_URL" in done.stderr
        assert "--network" in done.stderr
    assert commands.run("deploy", "factory", chain_id="31337", network="local").status == 0
    conflicting = commands.run("deploy", "factory", chain_id="1", network="sepolia")
    assert (conflicting.status, "set one of the two" in conflicting.stderr) == (2, True)
    with pytest.raises(WrongChainError):
        devnet.rpc.check_chain(1)


def test_message__no_funds__says_balance_and_need_before_anything_is_sent(devnet: Devnet, rpc: Rpc) -> None:
    poor = LocalSigner(b"\x09" * 32)
    devnet.set_balances({poor.address: 1_000})
    before = rpc.block()
    with pytest.raises(InsufficientFundsError) as caught:
        send(rpc, poor, Call(SOMEONE, b""))
    error = caught.value
    assert (error.balance, error.needed) == (1_000, quote_cost(rpc, poor))
    text = str(error)
    assert f"{checksum_address(poor.address)} has 0.000000000000001 ETH, and up to 0.0000" in text
    assert text.endswith("send ether to the account that pays, or pay from another one, and run the same again")
    assert rpc.block() == before
    # A node that is asked all the same says it in its own words.
    assert "nsufficient funds" in refuse(rpc, sign(rpc, poor), InsufficientFundsError)


def quote_cost(rpc: Rpc, poor: LocalSigner) -> int:
    rich = quote(rpc, devnet_account(0).address, Call(SOMEONE, b""))
    assert poor.address != rich.sender
    return rich.worst_wei


def test_message__no_funds__command_ends_with_status_1(devnet: Devnet, commands: Commands) -> None:
    election = make_election(devnet)
    devnet.set_balances({devnet_account(0).address: 5})
    box = checksum_address(election.deployment.box)
    done = commands.run("cancel", box, "--yes")
    assert (done.status, done.stdout) == (1, "")
    assert "has 0.000000000000000005 ETH, and up to" in done.stderr
    planned = commands.run("cancel", box, "--dry-run")
    assert (planned.status, "which is NOT enough" in planned.stdout) == (0, True)


def test_message__underpriced__by_block_or_by_what_it_would_replace(rpc: Rpc, organizer: LocalSigner) -> None:
    text = refuse(rpc, sign(rpc, organizer, fees=Fees(most=1, tip=1)), UnderpricedError)
    assert "max fee per gas less than block base fee" in text
    rpc.call("evm_setAutomine", [False])
    try:
        submit(rpc, [sign(rpc, organizer, nonce=(nonce := rpc.next_nonces([organizer.address])[0]))])
        fees = fetch_fees(rpc)
        cheaper = sign(rpc, organizer, nonce=nonce, fees=Fees(most=fees.most - 1, tip=fees.tip, base_fee=0))
        assert "underpriced" in refuse(rpc, cheaper, UnderpricedError)
    finally:
        rpc.call("evm_mine")
        rpc.call("evm_setAutomine", [True])


def test_message__nonce_too_low__says_that_another_came_first(rpc: Rpc, organizer: LocalSigner) -> None:
    send(rpc, organizer, Call(SOMEONE, b""))
    assert "nonce too low" in refuse(rpc, sign(rpc, organizer, nonce=0, gas=21_001), NonceTooLowError)


def test_message__already_known__counts_as_sent(rpc: Rpc, organizer: LocalSigner) -> None:
    rpc.call("evm_setAutomine", [False])
    try:
        signed = sign(rpc, organizer)
        submit(rpc, [signed])
        (outcome,) = rpc.send_raw([signed.raw])
        assert isinstance(outcome, AlreadyKnownError)
        assert str(outcome).endswith("do not send it again")
        submit(rpc, [signed])
    finally:
        rpc.call("evm_mine")
        rpc.call("evm_setAutomine", [True])


def test_message__gas_limit_too_low__is_named(rpc: Rpc, organizer: LocalSigner) -> None:
    refuse(rpc, sign(rpc, organizer, gas=20_000), GasRefusedError)


@pytest.mark.parametrize(
    ("message", "kind"),
    [
        ("insufficient funds for gas * price + value: balance 5, tx cost 21, overshot 16", InsufficientFundsError),
        ("replacement transaction underpriced", UnderpricedError),
        ("nonce too low: next nonce 7, tx nonce 3", NonceTooLowError),
        ("OldNonce, Current nonce: 7, nonce of rejected tx: 3", NonceTooLowError),
        ("exceeds block gas limit", GasRefusedError),
    ],
)
def test_message__other_nodes_words__are_understood_in_a_batch_too(
    rpc: Rpc, organizer: LocalSigner, message: str, kind: type[TransactionRefused]
) -> None:
    def in_batch(request: Any) -> bytes:
        answered = {"jsonrpc": "2.0", "id": request[0]["id"], "error": {"code": -32000, "message": message}}
        return respond([answered], "200 OK", request)

    signed = sign(rpc, organizer)
    with run_bad_endpoint(in_batch, result(None)) as endpoint, Rpc(endpoint.url) as broken:
        assert message in refuse(broken, signed, kind)
    with run_bad_endpoint(fault(-32000, message)) as endpoint, Rpc(endpoint.url) as broken, pytest.raises(kind):
        broken.call("eth_estimateGas", [{}])


def test_message__reverted__is_decoded_to_name_and_values_with_advice(
    devnet: Devnet, relayer: LocalSigner, commands: Commands
) -> None:
    election = make_election(devnet)
    with pytest.raises(ContractReverted) as caught:
        send(devnet.rpc, relayer, Call(election.deployment.box, encode_cancel()))
    assert str(caught.value) == (
        f"the contract refused: BallotBoxNotOrganizer(caller={checksum_address(relayer.address)}, "
        f"organizer={checksum_address(devnet_account(0).address)}): only the account that created the election can "
        "cancel it: choose it with --account"
    )
    entry = election.census.entry(0)
    cast = encode_cast(entry.index, entry.weight, SOUP, election.census.prove(0))
    with pytest.raises(ContractReverted, match=r"BallotBoxNotOpen\(timestamp=.*\): ballots are taken from the opening"):
        send(devnet.rpc, election.account(0), Call(election.deployment.box, cast))


def test_message__endpoint_down__says_what_to_check(commands: Commands) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    done = replace(commands, url=f"http://127.0.0.1:{port}/v3/SECRET").run("deploy", "factory", "--yes")
    assert (done.status, done.stdout) == (1, "")
    assert f"http://127.0.0.1:{port}: the connection failed" in done.stderr
    assert "check that a node runs there and that QBALLOT_RPC_URL is right" in done.stderr
    assert "SECRET" not in done.stderr


@pytest.mark.parametrize(
    ("status", "advice"),
    [("401 Unauthorized", "wants a key"), ("403 Forbidden", "refuses its key"), ("404 Not Found", "no such path")],
)
def test_message__endpoint_refuses_its_key__says_so(commands: Commands, status: str, advice: str) -> None:
    with run_bad_endpoint(answer("<html>no</html>", status)) as endpoint:
        done = replace(commands, url=endpoint.url).run("deploy", "factory", "--yes")
    assert done.status == 1
    assert advice in done.stderr
    assert "QBALLOT_RPC_URL" in done.stderr
    assert "SECRET" not in done.stderr


def test_message__election_not_open_closed_or_cancelled__is_an_error_of_its_own(
    devnet: Devnet, relayer: LocalSigner
) -> None:
    election = make_election(devnet)
    box, census, voter = election.deployment.box, election.census, election.account(0)
    with pytest.raises(ElectionNotOpenError, match=r"is not open yet.*come back in \d+ seconds") as early:
        cast_direct(devnet.rpc, voter, box, census, SOUP)
    assert (early.value.opens_at, early.value.now) == (
        election.deployment.arguments.opens_at,
        devnet.rpc.block().timestamp,
    )
    election.open()
    batch = Batch(0, (election.sign(0, SOUP),))
    election.close()
    with pytest.raises(ElectionClosedError, match="no ballot can follow, see the result instead"):
        cast_batch(devnet.rpc, relayer, box, census, batch)
    cancelled = make_election(devnet, salt=1)
    send(devnet.rpc, devnet_account(0), Call(cancelled.deployment.box, encode_cancel()))
    for moment in (lambda: None, cancelled.open, cancelled.close):
        moment()
        with pytest.raises(ElectionCancelledError, match="was cancelled by its organizer"):
            cast_direct(devnet.rpc, voter, cancelled.deployment.box, cancelled.census, SOUP)
    for kind in (ElectionNotOpenError, ElectionClosedError, ElectionCancelledError):
        assert issubclass(kind, ElectionError)


def test_message__not_in_the_census_or_wrong_sheet__is_an_error_of_its_own(
    devnet: Devnet, relayer: LocalSigner
) -> None:
    election: ElectionOnDevnet = make_election(devnet, voters=4, sheet_bits=1)
    election.open()
    with pytest.raises(NotInCensusError, match="is not in the census: check that this is the account") as stranger:
        cast_direct(devnet.rpc, relayer, election.deployment.box, election.census, SOUP)
    assert stranger.value.account == checksum_address(relayer.address)
    with pytest.raises(
        WrongSheetError, match="voter 3 is of sheet 1, expected sheet 0, the batch's: a batch holds"
    ) as sheet:
        cast_batch(devnet.rpc, relayer, election.deployment.box, election.census, Batch(0, (election.sign(3, SOUP),)))
    assert (sheet.value.voter, sheet.value.found, sheet.value.expected) == (3, 1, 0)
    assert issubclass(NotInCensusError, InputError)


def test_send_quoted__another_account_than_quoted__sends_nothing(
    rpc: Rpc, organizer: LocalSigner, relayer: LocalSigner
) -> None:
    quoted = quote(rpc, organizer.address, Call(SOMEONE, b""))
    before = rpc.block()
    with pytest.raises(InputError, match="found the account"):
        send_quoted(rpc, [relayer], [quoted])
    assert rpc.block() == before


def test_send__not_in_a_block_in_time__says_how_to_go_on(rpc: Rpc, organizer: LocalSigner) -> None:
    rpc.call("evm_setAutomine", [False])
    try:
        with pytest.raises(ChainError, match="look it up by its hash before"):
            send(rpc, organizer, Call(SOMEONE, b""), timeout_seconds=0.1)
    finally:
        rpc.call("evm_mine")
        rpc.call("evm_setAutomine", [True])
