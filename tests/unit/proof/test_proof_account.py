"""Accounts and slots under a state root, and a node's answers about them."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from proof_samples import SLOTS, encode_account, hash_slot, make_sample
from properties import examples

from qballot.core.keccak import keccak
from qballot.core.proof import (
    EMPTY_CODE_HASH,
    EMPTY_ROOT,
    Account,
    AccountProof,
    SlotProof,
    build_trie,
    build_trie_proof,
    decode_get_proof,
    decode_header,
    verify_account,
    verify_account_proof,
    verify_get_proof,
    verify_slot,
)
from qballot.core.proof.rlp import EMPTY_LIST, EMPTY_STRING, encode_list, encode_string
from qballot.core.types import Address, Hash32
from qballot.errors import InputError, ProofError

pytestmark = pytest.mark.unit

SOMEONE = Address(b"\x11" * 20)
NOBODY = Address(b"\x22" * 20)
WORD = b"\xab" * 32
PLAIN = encode_account(3, 10**18, EMPTY_ROOT, EMPTY_CODE_HASH)


def prove_value(value: bytes) -> tuple[Hash32, list[bytes]]:
    """A state of one account with this value, and its proof."""
    trie = build_trie({keccak(SOMEONE): value})
    return trie.root, build_trie_proof(trie, keccak(SOMEONE))


def make_answer(**changes: object) -> dict[str, object]:
    """An answer about `SOMEONE`, who has a word in slot 0 and nothing in slot 1, under `answer_root()`."""
    storage = build_trie({hash_slot(0): encode_string(WORD)})
    _, nodes = prove_value(encode_account(1, 5, storage.root, EMPTY_CODE_HASH))
    proof = ["0x" + node.hex() for node in build_trie_proof(storage, hash_slot(0))]
    return {
        "address": "0x" + SOMEONE.hex(),
        "accountProof": ["0x" + node.hex() for node in nodes],
        "nonce": "0x1",
        "balance": "0x5",
        "storageHash": "0x" + storage.root.hex(),
        "codeHash": "0x" + EMPTY_CODE_HASH.hex(),
        "storageProof": [
            {"key": "0x0", "value": "0x" + WORD.hex(), "proof": proof},
            {"key": "0x" + "00" * 31 + "01", "value": "0x0", "proof": proof},
        ],
    } | changes


def answer_root() -> Hash32:
    storage = build_trie({hash_slot(0): encode_string(WORD)})
    return prove_value(encode_account(1, 5, storage.root, EMPTY_CODE_HASH))[0]


def test_account__present_and_absent__are_shown() -> None:
    root, proof = prove_value(PLAIN)
    assert verify_account(root, SOMEONE, proof) == Account(3, 10**18, EMPTY_ROOT, EMPTY_CODE_HASH)
    assert verify_account(root, NOBODY, proof) is None
    assert verify_account(EMPTY_ROOT, NOBODY, []) is None
    with pytest.raises(InputError, match="address must have 20 bytes"):
        verify_account(root, Address(b"short"), proof)


def test_slot__present_absent_and_without_storage__are_words() -> None:
    sample = make_sample()
    account = sample.proven.account
    assert account is not None
    words = sample.proven.words
    assert set(words) == {0, 7, SLOTS + 1}
    assert words[SLOTS + 1] == bytes(32)
    assert all(len(word) == 32 for word in words.values())
    assert any(words[0])
    assert verify_slot(EMPTY_ROOT, 0, []) == verify_slot(EMPTY_ROOT, 0, [EMPTY_STRING]) == bytes(32)
    with pytest.raises(InputError, match="slot must be"):
        verify_slot(EMPTY_ROOT, 2**256, [])


def test_account_proof__of_an_absent_account__has_empty_slots_only() -> None:
    root, nodes = prove_value(PLAIN)
    proof = AccountProof(NOBODY, tuple(nodes), (SlotProof(0, ()),))
    proven = verify_account_proof(root, proof)
    assert proven.account is None
    assert proven.words == {0: bytes(32)}
    with pytest.raises(ProofError, match="under the root of an empty trie"):
        verify_account_proof(root, replace(proof, slots=(SlotProof(0, tuple(nodes)),)))


def test_account_proof__another_storage_root__is_refused() -> None:
    sample = make_sample()
    header = decode_header(sample.package.header)
    proof = sample.package.account
    other = replace(proof, slots=(replace(proof.slots[0], slot=1),))
    with pytest.raises(ProofError, match=f"account 0x{proof.address.hex()}: storage proof of slot 1: "):
        verify_account_proof(header.state_root, other)
    with pytest.raises(ProofError, match=f"account proof of 0x{proof.address.hex()}: node 0 hashes to"):
        verify_account_proof(header.receipts_root, proof)


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (encode_list([EMPTY_STRING] * 3), "the account's fields: found an RLP list of 3 items, expected 4"),
        (encode_list([EMPTY_STRING] * 5), "the account's fields: .* more than 4 items"),
        (encode_account(2**64, 0, WORD, WORD), "the account's nonce: .*below 2"),
        (encode_account(0, 2**256, WORD, WORD), "the account's balance"),
        (encode_account(0, 0, WORD[1:], WORD), "the account's storage root: found 31 bytes, expected 32"),
        (encode_account(0, 0, WORD, WORD + b"x"), "the account's code hash: found 33 bytes"),
        (encode_list([b"\x00", EMPTY_STRING, *[encode_string(WORD)] * 2]), "the account's nonce: .*leading zero"),
        (PLAIN + b"\x00", "the account's fields: found 1 bytes after"),
        (b"v", "the account's fields: found an RLP string"),
    ],
)
def test_account__malformed_under_a_good_proof__is_named(value: bytes, words: str) -> None:
    root, proof = prove_value(value)
    with pytest.raises(ProofError, match=f"account proof of 0x{SOMEONE.hex()}: {words}"):
        verify_account(root, SOMEONE, proof)


@pytest.mark.parametrize(
    "value", [EMPTY_STRING, b"\x00", encode_string(bytes(32)), encode_string(b"x" * 33), EMPTY_LIST]
)
def test_slot__no_word_under_a_good_proof__is_refused(value: bytes) -> None:
    trie = build_trie({hash_slot(4): value})
    with pytest.raises(ProofError, match="storage proof of slot 4: found"):
        verify_slot(trie.root, 4, build_trie_proof(trie, hash_slot(4)))


def test_get_proof__an_honest_answer__is_proven() -> None:
    answer = decode_get_proof(make_answer())
    proven = verify_get_proof(answer_root(), answer)
    assert proven.address == SOMEONE
    assert proven.account == answer.account
    assert proven.words == answer.words == {0: WORD, 1: bytes(32)}


@pytest.mark.parametrize("nothing", [bytes(32), None])
def test_get_proof__an_absent_account__may_be_told_in_two_ways(nothing: bytes | None) -> None:
    root, nodes = prove_value(PLAIN)
    answer = {
        "address": "0x" + NOBODY.hex(),
        "accountProof": ["0x" + node.hex() for node in nodes],
        "nonce": "0x0",
        "balance": "0x0",
        "storageHash": "0x" + (nothing or EMPTY_ROOT).hex(),
        "codeHash": "0x" + (nothing or EMPTY_CODE_HASH).hex(),
        "storageProof": [],
    }
    assert verify_get_proof(root, decode_get_proof(answer)).account is None
    with pytest.raises(ProofError, match=r"the node says .* but its proof shows"):
        verify_get_proof(root, decode_get_proof(answer | {"balance": "0x1"}))


@pytest.mark.parametrize("name", ["nonce", "balance", "storageHash", "codeHash"])
def test_get_proof__words_that_the_proof_does_not_show__are_refused(name: str) -> None:
    wrong = "0x7" if name in ("nonce", "balance") else "0x" + "77" * 32
    with pytest.raises(ProofError, match=f"account 0x{SOMEONE.hex()}: the node says Account"):
        verify_get_proof(answer_root(), decode_get_proof(make_answer(**{name: wrong})))


def test_get_proof__a_word_that_the_proof_does_not_show__is_refused() -> None:
    slots = make_answer()["storageProof"]
    assert isinstance(slots, list)
    slots[1]["value"] = "0x9"
    with pytest.raises(ProofError, match=r"slot 1: the node says 0x0{63}9, but its proof shows 0x0{64}"):
        verify_get_proof(answer_root(), decode_get_proof(make_answer(storageProof=slots)))


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"address": "0x11"}, "address: found 1 bytes, expected 20"),
        ({"address": None}, "address: found a value of type NoneType"),
        ({"accountProof": "0x"}, "accountProof: found '0x', expected a list"),
        ({"accountProof": ["0x"] * 66}, "accountProof: found 66 items, expected at most 65"),
        (
            {"accountProof": ["0x" + "00" * 533]},
            r"accountProof\[0\]: found 1068 characters, expected at most 532 bytes",
        ),
        ({"accountProof": ["0xzz"]}, "expected bytes as 0x-hex"),
        ({"accountProof": ["0x 00"]}, "without blanks"),
        ({"nonce": "-0x1"}, "nonce: found '-0x1'"),
        ({"balance": "0x" + "f" * 65}, "balance: found"),
        ({"balance": 5}, "balance: found a value of type int"),
        ({"storageProof": [7]}, r"storageProof\[0\]: found a value of type int, expected an object"),
        ({"storageProof": [{"key": "0x0", "value": "0x0", "proof": []}] * 2}, r"\[1\].key: found slot 0 again"),
        (
            {"storageProof": [{"key": "0x0", "value": "0x0"}]},
            r"storageProof\[0\].proof: found a value of type NoneType",
        ),
    ],
)
def test_get_proof__malformed__names_the_field(changes: dict[str, object], words: str) -> None:
    with pytest.raises(ProofError, match=words):
        decode_get_proof(make_answer(**changes))


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5) | st.sampled_from(["0x", "0x0", "0x" + "11" * 32]),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["key", "value", "proof"]), inner, max_size=3)
    ),
    max_leaves=8,
)


@given(st.dictionaries(st.sampled_from(sorted(make_answer())), json_values, max_size=3))
@examples(200)
def test_get_proof__any_json__is_refused_or_proven(changes: dict[str, object]) -> None:
    good = decode_get_proof(make_answer())
    try:
        answer = decode_get_proof(make_answer(**changes))
        proven = verify_get_proof(answer_root(), answer)
    except ProofError:
        return
    assert proven.account == good.account
    assert all(proven.words[slot] == good.words.get(slot, bytes(32)) for slot in proven.words)
