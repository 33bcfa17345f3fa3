"""The deterministic deployer, on a chain that lacks it: a local network, or one that is new.

Nearly every chain has it at one address, since the transaction that puts it there was signed once, by a key that
nobody has, for any chain (no chain id, a fixed gas price): whoever gives its sender the ether can send it.
Source: https://github.com/Arachnid/deterministic-deployment-proxy
"""

from __future__ import annotations

from qballot.chain.accounts import Signer
from qballot.chain.answers import Receipt
from qballot.chain.rpc import Rpc
from qballot.chain.transactions import Call, SignedTransaction, send, submit, wait_for_receipts
from qballot.core.address import checksum_address
from qballot.core.keccak import keccak
from qballot.core.provenance import DETERMINISTIC_DEPLOYER
from qballot.core.types import Address
from qballot.errors import ProofError

DEPLOYER_SENDER = Address(bytes.fromhex("3fab184622dc19b6109349b94811493bf2a45362"))
DEPLOYER_COST_WEI = 10**16
"""100,000 gas at 100 gwei, as the transaction says."""

DEPLOYER_TRANSACTION = bytes.fromhex(
    "f8a58085174876e800830186a08080b853604580600e600039806000f350fe7fffffffffffffffffffffffffffffffffffffffffffffff"
    "ffffffffffffffffe03601600081602082378035828234f58015156039578182fd5b8082525050506014600cf31ba02222222222222222"
    "222222222222222222222222222222222222222222222222a0222222222222222222222222222222222222222222222222222222222222"
    "2222"
)

RECEIPT_SECONDS = 180.0


def install_deployer(rpc: Rpc, signer: Signer) -> Receipt | None:
    """Put the deterministic deployer on a chain; None when it is there.

    signer: gives its sender 0.01 ether.
    Raises ChainError (a node may refuse transactions without a chain id), ProofError.
    """
    if rpc.code(DETERMINISTIC_DEPLOYER):
        return None
    missing = DEPLOYER_COST_WEI - rpc.balance(DEPLOYER_SENDER)
    if missing > 0:
        send(rpc, signer, Call(DEPLOYER_SENDER, b"", missing))
    call = Call(DETERMINISTIC_DEPLOYER, b"")
    signed = SignedTransaction(DEPLOYER_SENDER, call, 0, DEPLOYER_TRANSACTION, keccak(DEPLOYER_TRANSACTION))
    submit(rpc, [signed])
    receipt = wait_for_receipts(rpc, [signed], RECEIPT_SECONDS)[0]
    if not rpc.code(DETERMINISTIC_DEPLOYER):
        raise ProofError(f"no code stands at {checksum_address(DETERMINISTIC_DEPLOYER)} after its transaction")
    return receipt
