"""A transaction's calldata as a person can read it: which function, with which values."""

from __future__ import annotations

from functools import cache
from typing import Any

from eth_utils.address import to_checksum_address

from qballot.chain.abi import SELECTOR_BYTES, Signature, load_functions
from qballot.chain.artifacts import CONTRACTS
from qballot.chain.transactions import Call
from qballot.core.provenance import DETERMINISTIC_DEPLOYER
from qballot.errors import DecodeError

SHOWN_BYTES = 40
"""Longer values are cut when they are written for people, and their length said."""


def decode_call(call: Call) -> tuple[str, dict[str, Any]]:
    """Return a call's function and its arguments by name, ready for JSON.

    Bytes are 0x-hex, addresses checksummed, integers beyond 2**53 text. A call of no function of ours is named by its
    first four bytes.
    """
    if call.to == DETERMINISTIC_DEPLOYER:
        return "deploy", {"salt": "0x" + call.data[:32].hex(), "initCode": "0x" + call.data[32:].hex()}
    selector, rest = call.data[:SELECTOR_BYTES], call.data[SELECTOR_BYTES:]
    function = _known_functions().get(selector)
    if function is None:
        return "0x" + selector.hex(), {"data": "0x" + rest.hex()}
    try:
        values = function.decode_arguments(rest)
    except DecodeError:
        return function.name, {"data": "0x" + rest.hex()}
    types = dict(zip(function.input_names, function.input_types, strict=True))
    return function.name, {name: _show(values[name], types[name]) for name in types}


def format_value(value: Any) -> str:
    """Write a decoded value on one line; long bytes and lists are cut and their length said."""
    if isinstance(value, str) and value.startswith("0x") and len(value) > 2 + 2 * SHOWN_BYTES:
        return f"{value[:18]}… ({len(value) // 2 - 1:,} bytes)"
    if isinstance(value, list) and len(value) > 1 and sum(len(str(item)) for item in value) > 2 * SHOWN_BYTES:
        return f"[{format_value(value[0])}, … ({len(value):,} in all)]"
    if isinstance(value, list):
        return "[" + ", ".join(format_value(item) for item in value) + "]"
    return str(value)


@cache
def _known_functions() -> dict[bytes, Signature]:
    return {function.selector: function for contract in CONTRACTS for function in load_functions(contract)}


def _show(value: Any, kind: str) -> Any:
    if isinstance(value, bytes):
        return "0x" + value.hex()
    if isinstance(value, list | tuple):
        return [_show(item, "") for item in value]
    if isinstance(value, int) and not isinstance(value, bool) and value >= 2**53:
        return str(value)
    return to_checksum_address(value) if kind == "address" else value
