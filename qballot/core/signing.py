"""What a voter signs, and who signed it: EIP-712 typed data, signatures in the compact form of EIP-2098.

The domain names the chain and the box, so that a signature counts in one election on one chain. The type is
`Ballot(uint32 voter,uint40 castAt,bytes ballot)`, or the same with `string ballot` where the box takes text ballots:
EIP-712 hashes both alike, but wallets show a string as text. The weight is not in it, the census says that.
Keys are arguments here, never kept. Signing is deterministic (RFC 6979), so that the same ballot is the same record.
Source: contracts/BallotBox.sol `hashBallot`; tests/vectors/signatures.json.
"""

from __future__ import annotations

from enum import StrEnum
from functools import lru_cache
from typing import Any, Final

from coincurve import PrivateKey, PublicKey

from qballot.core.address import checksum_address
from qballot.core.bounds import validate_length, validate_uint
from qballot.core.keccak import keccak
from qballot.core.types import Address, ChainId, Hash32, VoterIndex
from qballot.errors import InputError, ProofError

DOMAIN_NAME: Final = "QBallot"
DOMAIN_VERSION: Final = "1"

DOMAIN_TYPE: Final = "EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"


class BallotForm(StrEnum):
    """How a box's voters sign their ballots; the value is the type of `ballot` in EIP-712."""

    BYTES = "bytes"
    TEXT = "string"

    @classmethod
    def of(cls, text_ballots: bool) -> BallotForm:
        """Return the form that a box's rule `textBallots` asks for."""
        return cls.TEXT if text_ballots else cls.BYTES

    @property
    def ballot_type(self) -> str:
        """Encode the type of what is signed, as EIP-712 does."""
        return f"Ballot(uint32 voter,uint40 castAt,{self.value} ballot)"


CURVE_ORDER: Final = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
"""Order n of secp256k1. A signature's `s` above n / 2 has a twin below: only that one is accepted (EIP-2)."""

COMPACT_SIGNATURE_BYTES: Final = 64

_DOMAIN_TYPE_HASH = keccak(DOMAIN_TYPE.encode())
_BALLOT_TYPE_HASHES = {form: keccak(form.ballot_type.encode()) for form in BallotForm}
_NAME_HASH = keccak(DOMAIN_NAME.encode())
_VERSION_HASH = keccak(DOMAIN_VERSION.encode())
_PARITY_BIT = 1 << 255


@lru_cache(maxsize=256)
def domain_separator(chain_id: ChainId, box: Address) -> Hash32:
    """Hash the EIP-712 domain of one box (20 bytes) on one chain. Raises InputError when a value does not fit."""
    validate_uint("chain_id", chain_id, 256)
    validate_length("box", box, 20)
    return keccak(_DOMAIN_TYPE_HASH + _NAME_HASH + _VERSION_HASH + chain_id.to_bytes(32) + bytes(12) + box)


def ballot_digest(
    chain_id: ChainId,
    box: Address,
    voter: VoterIndex,
    cast_at: int,
    ballot: bytes,
    *,
    form: BallotForm = BallotForm.BYTES,
) -> Hash32:
    """Compute the 32 bytes that a voter signs.

    voter: index in the census. cast_at: unix seconds by the chain's clock. ballot: the encoded ballot. form: the box's.
    Raises InputError when a value does not fit in its field.
    """
    validate_uint("voter", voter, 32)
    validate_uint("cast_at", cast_at, 40)
    message = keccak(_BALLOT_TYPE_HASHES[form] + voter.to_bytes(32) + cast_at.to_bytes(32) + keccak(ballot))
    return keccak(b"\x19\x01" + domain_separator(chain_id, box) + message)


def ballot_typed_data(
    chain_id: ChainId,
    box: Address,
    voter: VoterIndex,
    cast_at: int,
    ballot: bytes,
    *,
    form: BallotForm = BallotForm.BYTES,
) -> dict[str, Any]:
    """Describe the same ballot for a wallet's `eth_signTypedData_v4`, ready for JSON; its names are EIP-712's.

    A wallet that signs this signs `ballot_digest` of the same arguments. Raises InputError when a ballot that is to be
    signed as text is not UTF-8.
    """
    return {
        "types": {
            "EIP712Domain": [
                {"name": "name", "type": "string"},
                {"name": "version", "type": "string"},
                {"name": "chainId", "type": "uint256"},
                {"name": "verifyingContract", "type": "address"},
            ],
            "Ballot": [
                {"name": "voter", "type": "uint32"},
                {"name": "castAt", "type": "uint40"},
                {"name": "ballot", "type": form.value},
            ],
        },
        "primaryType": "Ballot",
        "domain": {
            "name": DOMAIN_NAME,
            "version": DOMAIN_VERSION,
            "chainId": chain_id,
            "verifyingContract": checksum_address(box),
        },
        "message": {"voter": voter, "castAt": cast_at, "ballot": _show_ballot(ballot, form)},
    }


def _show_ballot(ballot: bytes, form: BallotForm) -> str:
    if form is BallotForm.BYTES:
        return "0x" + ballot.hex()
    try:
        return ballot.decode()
    except UnicodeDecodeError as error:
        raise InputError(f"found a ballot that is not UTF-8 at byte {error.start}, expected text") from error


def sign_digest(private_key: bytes, digest: Hash32) -> bytes:
    """Sign 32 bytes with a key of 32 bytes. Returns `r` ‖ `vs`, 64 bytes. Raises InputError on a key that is none."""
    validate_length("digest", digest, 32)
    signature = _load_key(private_key).sign_recoverable(digest, hasher=None)
    return compact_signature(int.from_bytes(signature[:32]), int.from_bytes(signature[32:64]), signature[64])


def compact_signature(r: int, s: int, v: int) -> bytes:
    """Join a signature into `r` ‖ `vs`, 64 bytes (EIP-2098): the top bit of `vs` is the parity of the point's y.

    v: the parity as 0 or 1, or as 27 or 28. Raises InputError for another `v`, and for `r` or `s` out of range (a high
    `s` is).
    """
    parity = v - 27 if v in (27, 28) else v
    if parity not in (0, 1):
        raise InputError(f"a signature's v must be 0, 1, 27 or 28; found {v}")
    if not 0 < r < CURVE_ORDER:
        raise InputError("a signature's r must be above zero and below the order of secp256k1")
    if not 0 < s <= CURVE_ORDER // 2:
        raise InputError("a signature's s must be above zero and at most half the order of secp256k1")
    return r.to_bytes(32) + (s | parity << 255).to_bytes(32)


def recover_signer(digest: Hash32, signature: bytes) -> Address:
    """Recover who signed a digest. signature: `r` ‖ `vs`, 64 bytes.

    Any other signature or digest recovers to some address too: compare it with the one expected.
    Raises ProofError when the signature is none: a wrong length, `r` or `s` zero or out of range, a high `s`, no such
    point on the curve.
    """
    if len(digest) != 32 or len(signature) != COMPACT_SIGNATURE_BYTES:
        raise ProofError(
            f"expected a digest of 32 bytes and a compact signature of {COMPACT_SIGNATURE_BYTES}; "
            f"found {len(digest)} and {len(signature)}"
        )
    r, vs = int.from_bytes(signature[:32]), int.from_bytes(signature[32:])
    s, parity = vs & (_PARITY_BIT - 1), vs >> 255
    if not 0 < r < CURVE_ORDER or not 0 < s <= CURVE_ORDER // 2:
        raise ProofError("not a signature: r or s is zero, too large, or s is the high one of its two values")
    try:
        key = PublicKey.from_signature_and_message(
            signature[:32] + s.to_bytes(32) + bytes([parity]), digest, hasher=None
        )
    except ValueError as error:
        raise ProofError("not a signature: no public key gives it for this digest") from error
    return _to_address(key)


def address_of_key(private_key: bytes) -> Address:
    """Compute the address of a private key (32 bytes). Raises InputError on a key that is none."""
    return _to_address(_load_key(private_key).public_key)


def _load_key(private_key: bytes) -> PrivateKey:
    # The message must not show the key, whatever is wrong with it.
    if len(private_key) != 32 or not 0 < int.from_bytes(private_key) < CURVE_ORDER:
        raise InputError("expected a private key: 32 bytes, above zero and below the order of secp256k1")
    return PrivateKey(private_key)


def _to_address(key: PublicKey) -> Address:
    return Address(keccak(key.format(compressed=False)[1:])[12:])
