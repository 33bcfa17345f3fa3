"""Calls, events and errors of our contracts as bytes, by the ABI that comes with the package.

eth-abi, the codec inside web3.py, is used directly: web3.py's contract objects take fifty times longer to encode a
batch of a thousand ballots.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any, cast

from eth_abi.abi import decode, encode
from eth_abi.exceptions import DecodingError
from eth_typing import ABIElement
from eth_utils.abi import (
    function_abi_to_4byte_selector,
    get_abi_input_names,
    get_abi_input_types,
    get_abi_output_types,
)

from qballot.chain.artifacts import load_artifact
from qballot.errors import DecodeError

SELECTOR_BYTES = 4


@dataclass(frozen=True, slots=True)
class Signature:
    """A function or an error: the four bytes that name it, and what it takes and returns."""

    name: str
    selector: bytes
    input_names: tuple[str, ...]
    input_types: tuple[str, ...]
    output_types: tuple[str, ...]

    def encode(self, *arguments: Any) -> bytes:
        """Encode a call: the selector and the arguments."""
        return self.selector + encode(self.input_types, arguments)

    def decode_arguments(self, data: bytes) -> dict[str, Any]:
        """Decode what follows the selector, by name. Raises DecodeError."""
        return dict(zip(self.input_names, decode_values(self.input_types, data), strict=True))

    def decode_result(self, data: bytes) -> Any:
        """Decode the only value that a call returned. Raises DecodeError."""
        (value,) = decode_values(self.output_types, data)
        return value


def decode_values(types: tuple[str, ...], data: bytes) -> tuple[Any, ...]:
    """Decode ABI values of these types. Raises DecodeError when the data is not of this form."""
    try:
        return decode(types, data)
    except (DecodingError, OverflowError) as error:
        # A length beyond what any machine can address is one of the two.
        raise DecodeError(f"found {len(data)} bytes, expected ({','.join(types)}): {error}") from None


@cache
def load_function(contract: str, name: str) -> Signature:
    """Return a function of one of our contracts."""
    return _signature(_find(contract, "function", name))


@cache
def load_functions(contract: str) -> tuple[Signature, ...]:
    """Return every function of one of our contracts."""
    return tuple(_signature(entry) for entry in load_artifact(contract).abi if entry["type"] == "function")


@cache
def load_errors(contract: str) -> tuple[Signature, ...]:
    """Return every error that one of our contracts may raise."""
    return tuple(_signature(entry) for entry in load_artifact(contract).abi if entry["type"] == "error")


def _find(contract: str, kind: str, name: str) -> dict[str, Any]:
    return next(entry for entry in load_artifact(contract).abi if entry["type"] == kind and entry.get("name") == name)


def _signature(entry: dict[str, Any]) -> Signature:
    element = cast(ABIElement, entry)
    return Signature(
        name=entry["name"],
        selector=function_abi_to_4byte_selector(cast(Any, {**entry, "type": "function"})),
        input_names=tuple(str(name) for name in get_abi_input_names(element)),
        input_types=tuple(get_abi_input_types(element)),
        output_types=tuple(get_abi_output_types(element)) if entry["type"] == "function" else (),
    )
