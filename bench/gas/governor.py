"""The baseline: OpenZeppelin's Governor (GovernorCountingSimple, ERC20Votes), compiled like our contracts."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import solcx
from amsterdam import Gas, price_transaction
from eth_account import Account
from eth_account.messages import encode_typed_data
from eth_account.signers.local import LocalAccount
from web3 import Web3
from web3.contract import Contract

from qballot.chain.accounts import DEVNET_KEYS
from qballot.chain.devnet import HARDFORK, Devnet
from qballot.compile import COMPILER_SETTINGS, SOLC_VERSION, collect_sources, find_compiler
from qballot.core.types import Hash32

ROOT = Path(__file__).parents[2]
SOURCE = Path(__file__).parent / "contracts" / "Baseline.sol"
SOURCE_NAME = "contracts/Baseline.sol"
VOTES = 10**18
FOR = 1


@dataclass(frozen=True)
class GovernorGas:
    """Gas of one vote, the proposal's tally being non-zero already: the voter's own, and one brought by another."""

    cast_vote: Gas
    cast_vote_by_sig: Gas


def measure(hardfork: str = HARDFORK) -> GovernorGas:
    """Hold a proposal on a chain of its own; three voters, of which the second and the third are measured."""
    contracts = _compile()
    with Devnet(hardfork=hardfork) as devnet:
        web3 = Web3(Web3.HTTPProvider(devnet.url))
        voters = [Account.from_key(key) for key in DEVNET_KEYS[:3]]
        token = _deploy(web3, contracts["BaselineToken"])
        governor = _deploy(web3, contracts["BaselineGovernor"], token.address)
        for voter in voters:
            _wait(web3, token.functions.mint(voter.address, VOTES), voters[0])
            _wait(web3, token.functions.delegate(voter.address), voter)
        proposal = ([token.address], [0], [b""], "baseline")
        # The signature of one proposal is that of the function and the event alike: read the id before sending.
        proposal_id = governor.functions.propose(*proposal).call({"from": voters[0].address})
        _wait(web3, governor.functions.propose(*proposal), voters[0])
        devnet.mine(3)
        _wait(web3, governor.functions.castVote(proposal_id, FOR), voters[0])
        direct = _wait(web3, governor.functions.castVote(proposal_id, FOR), voters[1])
        signature = _sign(web3, governor, voters[2], proposal_id)
        relayed = governor.functions.castVoteBySig(proposal_id, FOR, voters[2].address, signature)
        hashes = direct, _wait(web3, relayed, voters[0])
        return GovernorGas(*(price_transaction(devnet, hardfork, key) for key in hashes))


def _compile() -> dict[str, Any]:
    compiler = find_compiler(ROOT)
    choice = {"solc_binary": compiler.binary} if compiler.binary else {"solc_version": SOLC_VERSION}
    output = solcx.compile_standard(
        {
            "language": "Solidity",
            "sources": {
                name: {"content": content} for name, content in collect_sources(ROOT, {SOURCE_NAME: SOURCE}).items()
            },
            "settings": {**COMPILER_SETTINGS, "outputSelection": {SOURCE_NAME: {"*": ["abi", "evm.bytecode.object"]}}},
        },
        **choice,
    )
    contracts: dict[str, Any] = output["contracts"][SOURCE_NAME]
    return contracts


def _deploy(web3: Web3, compiled: dict[str, Any], *arguments: object) -> Contract:
    factory = web3.eth.contract(abi=compiled["abi"], bytecode=compiled["evm"]["bytecode"]["object"])
    sender = Account.from_key(DEVNET_KEYS[0]).address
    receipt = web3.eth.wait_for_transaction_receipt(factory.constructor(*arguments).transact({"from": sender}))
    address = receipt["contractAddress"]
    assert address is not None
    return web3.eth.contract(address=address, abi=compiled["abi"])


def _wait(web3: Web3, call: Any, sender: LocalAccount) -> Hash32:
    receipt = web3.eth.wait_for_transaction_receipt(call.transact({"from": sender.address}))
    assert receipt["status"] == 1
    return Hash32(bytes(receipt["transactionHash"]))


def _sign(web3: Web3, governor: Contract, voter: LocalAccount, proposal_id: int) -> bytes:
    message = encode_typed_data(
        {"name": "Baseline", "version": "1", "chainId": web3.eth.chain_id, "verifyingContract": governor.address},
        {
            "Ballot": [
                {"name": "proposalId", "type": "uint256"},
                {"name": "support", "type": "uint8"},
                {"name": "voter", "type": "address"},
                {"name": "nonce", "type": "uint256"},
            ]
        },
        {"proposalId": proposal_id, "support": FOR, "voter": voter.address, "nonce": 0},
    )
    return bytes(voter.sign_message(message).signature)
