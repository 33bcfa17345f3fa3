"""Revert data into the error that the contract raised, by name and with its arguments."""

from __future__ import annotations

from functools import cache
from typing import Any

from eth_utils.address import to_checksum_address

from qballot.chain.abi import SELECTOR_BYTES, Signature, load_errors
from qballot.chain.advice import ADVICE, UNKNOWN
from qballot.chain.artifacts import CONTRACTS
from qballot.errors import ContractReverted, DecodeError

BUILT_IN_ERRORS = (
    Signature("Error", bytes.fromhex("08c379a0"), ("message",), ("string",), ()),
    Signature("Panic", bytes.fromhex("4e487b71"), ("code",), ("uint256",), ()),
)
"""What Solidity itself reverts with. Source: the Solidity manual, "Panic via assert and Error via require"."""


@cache
def _known_errors() -> dict[bytes, Signature]:
    """Return every error of our contracts and of Solidity by its selector."""
    ours = (error for contract in CONTRACTS for error in load_errors(contract))
    return {error.selector: error for error in (*BUILT_IN_ERRORS, *ours)}


def decode_revert(data: bytes) -> ContractReverted:
    """Decode what a call reverted with.

    data: the revert data, empty when there was none (named `EmptyRevert`). An error that is not one of our contracts'
    is named by its selector, as in `0x12345678`. Arguments are integers, text, checksummed addresses and 0x-hex.
    """
    if not data:
        return ContractReverted("EmptyRevert", {}, advice=ADVICE["EmptyRevert"])
    selector, rest = data[:SELECTOR_BYTES], data[SELECTOR_BYTES:]
    known = _known_errors().get(selector)
    if known is None:
        return ContractReverted("0x" + selector.hex(), {}, data=data, advice=UNKNOWN)
    try:
        arguments = known.decode_arguments(rest)
    except DecodeError:
        return ContractReverted(known.name, {"data": "0x" + rest.hex()}, data=data, advice=UNKNOWN)
    types = dict(zip(known.input_names, known.input_types, strict=True))
    shown = {name: _show(arguments[name], types[name]) for name in types}
    return ContractReverted(known.name, shown, data=data, advice=ADVICE[known.name])


def _show(value: Any, kind: str) -> object:
    if isinstance(value, bytes):
        return "0x" + value.hex()
    return to_checksum_address(value) if kind == "address" else value
