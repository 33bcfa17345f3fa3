"""A small state with its header, made with our own trie; the other package's trie is compared with ours elsewhere."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from random import Random

from qballot.core.forks import FIELDS
from qballot.core.keccak import keccak
from qballot.core.proof import (
    AccountProof,
    Header,
    Log,
    ProvenAccount,
    Receipt,
    SlotProof,
    Trie,
    build_receipt_proof,
    build_receipts_trie,
    build_trie,
    build_trie_proof,
    decode_header,
    encode_header,
    verify_account_proof,
    verify_receipt,
)
from qballot.core.proof.rlp import encode_list, encode_string, encode_uint
from qballot.core.types import Address, BlockNumber, Hash32, UnixSeconds
from qballot.errors import ProofError

SLOTS = 60
ACCOUNTS = 200
RECEIPTS = 40
PROVEN_INDEX = 17


@dataclass(frozen=True)
class Package:
    """All that one proves with one block hash: a header, an account with some slots, a receipt."""

    header: bytes
    account: AccountProof
    index: int
    receipt: tuple[bytes, ...]


@dataclass(frozen=True)
class Sample:
    """block_hash: trusted. package: good. proven, receipt: what it shows. others: nodes of the same tries."""

    block_hash: Hash32
    package: Package
    proven: ProvenAccount
    receipt: Receipt
    others: tuple[bytes, ...]


def random_receipt(random: Random, index: int) -> Receipt:
    logs = tuple(
        Log(
            Address(random.randbytes(20)),
            tuple(Hash32(random.randbytes(32)) for _ in range(random.randrange(5))),
            random.randbytes(random.choice((0, 1, 32, 200))),
        )
        for _ in range(random.randrange(4))
    )
    return Receipt(random.choice((0, 1, 2, 3, 4)), random.random() < 0.9, 21_000 * (index + 1), bytes(256), logs)


def random_header(random: Random, fields: int, state_root: Hash32, receipts_root: Hash32) -> Header:
    def word() -> Hash32:
        return Hash32(random.randbytes(32))

    later = [word() if not field.bits else random.getrandbits(field.bits) for field in FIELDS[16:fields]]
    return Header(
        word(), word(), Address(random.randbytes(20)), state_root, word(), receipts_root, random.randbytes(256), 0,
        BlockNumber(23_000_000), 60_000_000, 31_415_926, UnixSeconds(1_790_000_000), b"made here", word(), bytes(8), 7,
        *later,  # type: ignore[arg-type]
    )  # fmt: skip


def encode_account(nonce: int, balance: int, storage_root: bytes, code_hash: bytes) -> bytes:
    return encode_list(
        (encode_uint(nonce), encode_uint(balance), encode_string(storage_root), encode_string(code_hash))
    )


def hash_slot(slot: int) -> bytes:
    return keccak(slot.to_bytes(32))


@cache
def make_sample() -> Sample:
    random = Random(6)
    words = {slot: random.getrandbits(random.choice((8, 256))) | 1 for slot in range(SLOTS)}
    storage = build_trie({hash_slot(slot): encode_uint(word) for slot, word in words.items()})
    box = Address(random.randbytes(20))
    accounts = {random.randbytes(20): encode_account(1, random.getrandbits(70), *[random.randbytes(32)] * 2)}
    while len(accounts) < ACCOUNTS:
        accounts[random.randbytes(20)] = encode_account(0, random.getrandbits(70), *[random.randbytes(32)] * 2)
    accounts[box] = encode_account(1, 0, storage.root, keccak(b"code"))
    state = build_trie({keccak(address): account for address, account in accounts.items()})
    receipts = [random_receipt(random, index) for index in range(RECEIPTS)]
    receipts_trie = build_receipts_trie(receipts)
    header = encode_header(random_header(random, 21, state.root, receipts_trie.root))
    slots = tuple(SlotProof(slot, _prove(storage, hash_slot(slot))) for slot in (0, 7, SLOTS + 1))
    package = Package(
        header,
        AccountProof(box, _prove(state, keccak(box)), slots),
        PROVEN_INDEX,
        tuple(build_receipt_proof(receipts_trie, PROVEN_INDEX)),
    )
    proven, receipt = verify_package(keccak(header), package)
    others = tuple(node for trie in (state, storage, receipts_trie) for node in list(trie.nodes.values())[:40])
    return Sample(keccak(header), package, proven, receipt, others)


def verify_package(block_hash: Hash32, package: Package) -> tuple[ProvenAccount, Receipt]:
    """What a verifier does who believes one block hash."""
    if keccak(package.header) != block_hash:
        raise ProofError("the header is another block's")
    header = decode_header(package.header)
    proven = verify_account_proof(header.state_root, package.account)
    return proven, verify_receipt(header.receipts_root, package.index, package.receipt)


def _prove(trie: Trie, key: bytes) -> tuple[bytes, ...]:
    return tuple(build_trie_proof(trie, key))
