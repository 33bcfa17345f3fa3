"""The deterministic deployer, on a chain that lacks it: a local network, or one that is new.

Nearly every chain has it at one address, since the transaction that puts it there was signed once, by a key that
nobody has, for any chain (no chain id, a fixed gas price): whoever gives its sender the ether can send it.
Source: https://github.com/Arachnid/deterministic-deployment-proxy
"""

from __future__ import annotations

from qballot.chain.accounts import Signer
from qballot.chain.answers import Receipt
from qballot.chain.rpc import Rpc
from qballot.chain.terms import fetch_terms
from qballot.chain.transactions import Call, SignedTransaction, send, submit, wait_for_receipts
from qballot.core.address import checksum_address
from qballot.core.keccak import keccak
from qballot.core.prices import StateGrowth, compute_state_gas
from qballot.core.provenance import DETERMINISTIC_DEPLOYER
from qballot.core.types import Address
from qballot.errors import ChainError, ProofError

DEPLOYER_SENDER = Address(bytes.fromhex("3fab184622dc19b6109349b94811493bf2a45362"))
DEPLOYER_GAS = 100_000
DEPLOYER_COST_WEI = DEPLOYER_GAS * 10**11
"""100 gwei a gas, as the transaction says."""

DEPLOYER_GROWTH = StateGrowth(accounts=1, code_bytes=69)
"""What the deployer adds to the state. Source: the code that DEPLOYER_TRANSACTION leaves."""

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
    Raises ChainError before anything is spent if the chain's fork charges more for the deployer than its transaction
    can pay (Amsterdam does), and later if a node refuses transactions without a chain id; ProofError.
    """
    if rpc.code(DETERMINISTIC_DEPLOYER):
        return None
    _check_affordable(rpc)
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


def _check_affordable(rpc: Rpc) -> None:
    # The transaction is signed for ever. If it ran out of gas, its sender's only usable nonce would be gone.
    terms = fetch_terms(rpc)
    fork, needed = terms.fork, compute_state_gas(DEPLOYER_GROWTH, terms.fork.prices)
    # Nothing is refused for a guess: the headers of a test network may have a form of their own.
    if terms.is_known and needed > DEPLOYER_GAS:
        raise ChainError(
            f"this chain has no deterministic deployer at {checksum_address(DETERMINISTIC_DEPLOYER)}, and it can no "
            f"longer be put there: under the rules of {fork.name} its code alone costs {needed:,} gas, and its "
            f"transaction may spend {DEPLOYER_GAS:,}; choose a chain that has it"
        )
