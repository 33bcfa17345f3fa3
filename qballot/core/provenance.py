"""Where an address comes from: provenance is computed, not believed.

    deterministic deployer ──CREATE2, salt 0──▶ factory ──CREATE, nonce 1──▶ implementation
                                                factory ──CREATE2──▶ box, a clone of the implementation

A box's address is a hash over its init code, which contains the implementation's address and the election's arguments.
So whoever recomputes the address knows that the box began with empty storage, runs this implementation, and has these
arguments as its own code for ever. A code hash alone would show less: anyone can make a byte-identical clone whose
storage was written before.
Source: EIP-1014; contracts/BallotBoxFactory.sol; Solady 0.1.26 `LibClone.initCode(address,bytes)`;
tests/vectors/addresses.json.
"""

from __future__ import annotations

from dataclasses import dataclass
from struct import Struct
from typing import Final

from qballot.core.bounds import validate_length, validate_uint
from qballot.core.keccak import keccak
from qballot.core.types import Address, Hash32, UnixSeconds
from qballot.errors import DecodeError, InputError

DETERMINISTIC_DEPLOYER: Final = Address(bytes.fromhex("4e59b44847b379578588920ca78fbf26c0b4956c"))
"""The deployer that stands at this address on nearly every chain; calldata: salt (32 bytes) ‖ init code.
Source: https://github.com/Arachnid/deterministic-deployment-proxy"""

FACTORY_SALT: Final = Hash32(bytes(32))
"""Salt under which the factory is deployed."""

IMPLEMENTATION_NONCE: Final = 1
"""Nonce of the factory when its constructor deploys the implementation: a new contract's first (EIP-161)."""

FIRST_BOX_NONCE: Final = IMPLEMENTATION_NONCE + 1
"""Nonce of a factory that has made no box yet."""

MAX_CODE_BYTES: Final = 24_576
"""Longest code of a contract (EIP-170)."""

MAX_SHEET_BITS: Final = 16
"""A sheet holds at most 2**16 voters."""

# A minimal proxy (ERC-1167): ask the implementation with delegatecall, hand its answer back. The arguments follow as
# code that never runs.
_RUNTIME_START = bytes.fromhex("363d3d373d3d3d363d73")
_RUNTIME_END = bytes.fromhex("5af43d82803e903d91602b57fd5bf3")
_RUNTIME_BYTES = len(_RUNTIME_START) + 20 + len(_RUNTIME_END)

# Init code: PUSH2 runtime size, then copy the runtime code and return it.
_INIT_START = b"\x61"
_INIT_END = bytes.fromhex("3d81600a3d39f3")

# definitionHash 32 | organizer 20 | opensAt 5 | closesAt 5 | sheetBits 1 | voters 4 | maxBallotBytes 2 | textBallots 1
_FIXED = Struct(">32s20sBIBIBIHB")

MAX_SHEETS: Final = (MAX_CODE_BYTES - _RUNTIME_BYTES - _FIXED.size) // 32
"""Most sheet roots that fit in a clone's code."""


@dataclass(frozen=True, slots=True)
class BoxArguments:
    """The immutable arguments of a box, which are the end of its code.

    definition_hash: keccak256 of the definition's bytes. organizer: who created the box.
    opens_at, closes_at: unix seconds, uint40. sheet_bits: 0 … 16. voters: their number, uint32.
    max_ballot_bytes: uint16. sheet_roots: 32 bytes each, one for every started 2**sheet_bits voters.
    text_ballots: whether voters sign their ballots as text (see `BallotForm`).

    Building one raises InputError when a value does not fit in its field. Whether the values make sense (opening before
    closing, the right number of roots) is the factory's to say.
    """

    definition_hash: Hash32
    organizer: Address
    opens_at: UnixSeconds
    closes_at: UnixSeconds
    sheet_bits: int
    voters: int
    max_ballot_bytes: int
    sheet_roots: tuple[Hash32, ...]
    text_ballots: bool = False

    def __post_init__(self) -> None:
        validate_length("definition_hash", self.definition_hash, 32)
        validate_length("organizer", self.organizer, 20)
        for name, bits in (("opens_at", 40), ("closes_at", 40), ("sheet_bits", 8), ("voters", 32)):
            validate_uint(name, getattr(self, name), bits)
        validate_uint("max_ballot_bytes", self.max_ballot_bytes, 16)
        for sheet, root in enumerate(self.sheet_roots):
            validate_length(f"sheet_roots[{sheet}]", root, 32)
        if len(self.sheet_roots) > MAX_SHEETS:
            raise InputError(f"a box has at most {MAX_SHEETS} sheets; found {len(self.sheet_roots)}")

    def pack(self) -> bytes:
        """Lay out the arguments as they end the clone's code: 70 bytes, then the roots."""
        fixed = _FIXED.pack(
            self.definition_hash,
            self.organizer,
            self.opens_at >> 32,
            self.opens_at & 0xFFFFFFFF,
            self.closes_at >> 32,
            self.closes_at & 0xFFFFFFFF,
            self.sheet_bits,
            self.voters,
            self.max_ballot_bytes,
            self.text_ballots,
        )
        return fixed + b"".join(self.sheet_roots)

    @classmethod
    def unpack(cls, data: bytes) -> BoxArguments:
        """Read packed arguments back. Raises DecodeError when they cannot be any box's."""
        if len(data) < _FIXED.size or (len(data) - _FIXED.size) % 32:
            raise DecodeError(f"arguments have {_FIXED.size} bytes and 32 for every sheet; found {len(data)} in all")
        sheets = (len(data) - _FIXED.size) // 32
        if sheets > MAX_SHEETS:
            raise DecodeError(f"a box has at most {MAX_SHEETS} sheets; found {sheets}")
        (
            definition_hash,
            organizer,
            opens_high,
            opens_low,
            closes_high,
            closes_low,
            sheet_bits,
            voters,
            limit,
            text_ballots,
        ) = _FIXED.unpack_from(data)
        if text_ballots > 1:
            raise DecodeError(f"found textBallots {text_ballots}, expected 0 or 1")
        roots = (data[start : start + 32] for start in range(_FIXED.size, len(data), 32))
        return cls(
            definition_hash=definition_hash,
            organizer=organizer,
            opens_at=UnixSeconds(opens_high << 32 | opens_low),
            closes_at=UnixSeconds(closes_high << 32 | closes_low),
            sheet_bits=sheet_bits,
            voters=voters,
            max_ballot_bytes=limit,
            sheet_roots=tuple(Hash32(bytes(root)) for root in roots),
            text_ballots=bool(text_ballots),
        )


def clone_runtime_code(implementation: Address, arguments: BoxArguments) -> bytes:
    """Code that stands on chain at a box's address: 45 bytes of proxy, then the arguments."""
    validate_length("implementation", implementation, 20)
    return _RUNTIME_START + implementation + _RUNTIME_END + arguments.pack()


def clone_init_code(implementation: Address, arguments: BoxArguments) -> bytes:
    """Code whose run by CREATE2 leaves the clone there, byte for byte as Solady's `LibClone.initCode` has it."""
    runtime = clone_runtime_code(implementation, arguments)
    return _INIT_START + len(runtime).to_bytes(2) + _INIT_END + runtime


def parse_clone_code(code: bytes) -> tuple[Address, BoxArguments]:
    """Take a box's code on chain apart into its implementation and arguments.

    Raises DecodeError when the code is not a clone's. This alone says nothing about who made it: recompute the address.
    """
    end = _RUNTIME_BYTES - len(_RUNTIME_END)
    if not code.startswith(_RUNTIME_START) or code[end:_RUNTIME_BYTES] != _RUNTIME_END:
        found = f"{len(code)} bytes that start with 0x{code[:10].hex()}" if code else "no code"
        raise DecodeError(f"expected the code of a minimal proxy with arguments, found {found}")
    return Address(bytes(code[len(_RUNTIME_START) : end])), BoxArguments.unpack(code[_RUNTIME_BYTES:])


def compute_create_address(sender: Address, nonce: int) -> Address:
    """Address of the contract that `sender` makes with CREATE at this nonce: keccak256(rlp([sender, nonce]))[12:]."""
    validate_length("sender", sender, 20)
    validate_uint("nonce", nonce, 64)
    digits = nonce.to_bytes((nonce.bit_length() + 7) // 8)
    # RLP: a byte below 0x80 stands for itself, everything else of this size follows 0x80 + its length.
    item = digits if digits and nonce < 0x80 else bytes([0x80 + len(digits)]) + digits
    body = b"\x94" + sender + item
    return Address(keccak(bytes([0xC0 + len(body)]) + body)[12:])


def compute_create2_address(sender: Address, salt: Hash32, init_code: bytes) -> Address:
    """Address of the contract that `sender` makes with CREATE2 from this salt (32 bytes) and init code (EIP-1014)."""
    validate_length("sender", sender, 20)
    validate_length("salt", salt, 32)
    return Address(keccak(b"\xff" + sender + salt + keccak(init_code))[12:])


def compute_factory_address(init_code: bytes) -> Address:
    """Address of the factory with this init code, the same on every chain that has the deterministic deployer."""
    return compute_create2_address(DETERMINISTIC_DEPLOYER, FACTORY_SALT, init_code)


def compute_implementation_address(factory: Address) -> Address:
    """Address of the box implementation that this factory deployed in its constructor."""
    return compute_create_address(factory, IMPLEMENTATION_NONCE)


def box_salt(organizer: Address, salt: Hash32) -> Hash32:
    """CREATE2 salt of a box, keccak256(abi.encode(organizer, salt)): nobody can take another organizer's address."""
    validate_length("organizer", organizer, 20)
    validate_length("salt", salt, 32)
    return keccak(bytes(12) + organizer + salt)


def box_address(factory: Address, implementation: Address, salt: Hash32, arguments: BoxArguments) -> Address:
    """Address of the box that `arguments.organizer` creates at this factory with this salt (32 bytes, their choice)."""
    init_code = clone_init_code(implementation, arguments)
    return compute_create2_address(factory, box_salt(arguments.organizer, salt), init_code)
