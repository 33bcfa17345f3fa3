"""Real tokens on the local chain, compiled once a test process, and used by any account without its key."""

from __future__ import annotations

import time
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import solcx
from eth_abi.abi import encode
from eth_utils.crypto import keccak as signature_hash

from qballot.chain.devnet import Devnet
from qballot.chain.rpc import Rpc
from qballot.compile import COMPILER_SETTINGS, SOLC_VERSION, collect_sources, find_compiler
from qballot.core.types import Address

ROOT = Path(__file__).parents[3]
SOURCE = Path(__file__).parent / "Tokens.sol"
SOURCE_NAME = "contracts/Tokens.sol"
PAYER = Address(bytes.fromhex("f39fd6e51aad88f6f4ce6ab8827279cfffb92266"))
"""The first account of every anvil, which it signs for."""


@dataclass(frozen=True)
class TestToken:
    """A deployed token."""

    __test__ = False

    rpc: Rpc
    address: Address

    def send(self, function: str, *arguments: Any, sender: Address = PAYER) -> None:
        """Call a function such as `mint(address,uint256)` in a transaction of its own, from any account."""
        types = function[function.index("(") + 1 : -1]
        data = signature_hash(text=function)[:4] + encode(types.split(",") if types else [], arguments)
        transact(self.rpc, {"from": "0x" + sender.hex(), "to": "0x" + self.address.hex(), "data": "0x" + data.hex()})


def deploy(devnet: Devnet, contract: str) -> TestToken:
    """Deploy one of the contracts of Tokens.sol."""
    code = compile_tokens()[contract]["evm"]["bytecode"]["object"]
    receipt = transact(devnet.rpc, {"from": "0x" + PAYER.hex(), "data": "0x" + code})
    return TestToken(devnet.rpc, Address(bytes.fromhex(receipt["contractAddress"][2:])))


def transact(rpc: Rpc, transaction: dict[str, str]) -> Any:
    """Send from an account that anvil signs for, or plays; return the receipt."""
    sender = transaction["from"]
    if sender != "0x" + PAYER.hex():
        rpc.call("anvil_setBalance", [sender, hex(10**20)])
        rpc.call("anvil_impersonateAccount", [sender])
    # An estimate would be made at the block before, whose checkpoint ERC20Votes would write over at less cost.
    sent = rpc.call("eth_sendTransaction", [{"gas": hex(5_000_000), **transaction}])
    # A receipt can be null right after sending.
    deadline = time.monotonic() + 10
    while (receipt := rpc.call("eth_getTransactionReceipt", [sent])) is None:
        assert time.monotonic() < deadline
        time.sleep(0.002)
    assert receipt["status"] == "0x1"
    return receipt


@cache
def compile_tokens() -> dict[str, Any]:
    """Compile Tokens.sol; returns the compiler's output by contract."""
    compiler = find_compiler(ROOT)
    choice = {"solc_binary": compiler.binary} if compiler.binary else {"solc_version": SOLC_VERSION}
    sources = collect_sources(ROOT, {SOURCE_NAME: SOURCE})
    output = solcx.compile_standard(
        {
            "language": "Solidity",
            "sources": {name: {"content": content} for name, content in sources.items()},
            # Without the optimizer's long way: these contracts are compiled at every run and never measured.
            "settings": {
                **COMPILER_SETTINGS,
                "viaIR": False,
                "outputSelection": {SOURCE_NAME: {"*": ["evm.bytecode.object"]}},
            },
        },
        **choice,
    )
    contracts: dict[str, Any] = output["contracts"][SOURCE_NAME]
    return contracts
