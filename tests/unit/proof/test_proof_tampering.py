"""Nothing that was changed verifies: every byte of a header and its proofs, and their order, by a fixed seed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from random import Random

import pytest
from proof_samples import SLOTS, Package, Sample, make_sample, verify_package

from qballot.core.proof import decode_get_proof, decode_header, verify_get_proof
from qballot.core.proof.rlp import EMPTY_LIST, EMPTY_STRING
from qballot.errors import ProofError

pytestmark = pytest.mark.unit

MUTATIONS = 10_000
SLOT_PROOFS = 3

Nodes = tuple[bytes, ...]
Put = Callable[[Nodes], Package]


def parts(package: Package) -> Iterator[tuple[Nodes, Put]]:
    """Each list of bytes in a package, with what puts another in its place. The header is a list of one."""
    account = package.account
    yield (package.header,), lambda nodes: replace(package, header=b"".join(nodes))
    yield account.nodes, lambda nodes: replace(package, account=replace(account, nodes=nodes))
    yield package.receipt, lambda nodes: replace(package, receipt=nodes)
    for place in range(SLOT_PROOFS):
        yield account.slots[place].nodes, lambda nodes, place=place: put_slot(package, place, nodes)  # type: ignore[misc]


def put_slot(package: Package, place: int, nodes: Nodes) -> Package:
    slots = package.account.slots
    changed = (*slots[:place], replace(slots[place], nodes=nodes), *slots[place + 1 :])
    return replace(package, account=replace(package.account, slots=changed))


def is_accepted(sample: Sample, package: Package) -> bool:
    try:
        verify_package(sample.block_hash, package)
    except ProofError:
        return False
    return True


def test_tampering__nothing_changed__verifies() -> None:
    sample = make_sample()
    assert verify_package(sample.block_hash, sample.package) == (sample.proven, sample.receipt)
    for nodes, put in parts(sample.package):
        assert put(nodes) == sample.package


def test_tampering__every_byte__is_noticed() -> None:
    sample, random = make_sample(), Random(1)
    count = 0
    for nodes, put in parts(sample.package):
        for place, node in enumerate(nodes):
            for offset in range(len(node)):
                flipped = bytes([node[offset] ^ random.randrange(1, 256)])
                changed = node[:offset] + flipped + node[offset + 1 :]
                assert not is_accepted(sample, put((*nodes[:place], changed, *nodes[place + 1 :])))
                count += 1
    assert count > 4_000


def mutate(random: Random, nodes: list[bytes], others: Nodes) -> None:
    """Change a list of nodes in one of many ways; now and then into itself."""
    place = random.randrange(len(nodes) + 1)
    kind = random.randrange(8)
    if kind == 0:
        nodes.insert(place, random.choice([*others, *nodes, b"", EMPTY_STRING, EMPTY_LIST]))
    elif kind == 1:
        del nodes[place : place + random.randrange(1, 3)]
    elif kind == 2:
        random.shuffle(nodes)
    elif nodes:
        node = nodes[place % len(nodes)]
        start = random.randrange(len(node) + 1)
        end = min(len(node), start + random.randrange(40))
        new = {
            3: node[:start],
            4: node[:start] + random.randbytes(end - start) + node[end:],
            5: node[:start] + node[end:],
            6: node + random.choice((b"\x00", EMPTY_STRING, node)),
            7: random.choice(others),
        }[kind]
        nodes[place % len(nodes)] = new


def test_tampering__thousands_of_mutations__are_all_noticed() -> None:
    sample, random = make_sample(), Random(2)
    tried = 0
    while tried < MUTATIONS:
        package = sample.package
        for _ in range(random.choice((1, 1, 1, 2, 5))):
            nodes, put = random.choice(list(parts(package)))
            changed = list(nodes)
            mutate(random, changed, sample.others)
            package = put(tuple(changed))
        if package == sample.package:
            continue
        tried += 1
        assert not is_accepted(sample, package)


def test_tampering__another_subject__is_noticed() -> None:
    sample, random = make_sample(), Random(3)
    package = sample.package
    for _ in range(500):
        address = bytearray(package.account.address)
        address[random.randrange(20)] ^= random.randrange(1, 256)
        assert not is_accepted(sample, replace(package, account=replace(package.account, address=bytes(address))))
    for index in range(300):
        assert is_accepted(sample, replace(package, index=index)) == (index == package.index)
    # A way that ends early shows that other slots are absent, which is true: a word is never another's.
    words = {slot: word for slot, word in sample.proven.words.items() if any(word)}
    assert len(words) == 2
    for other in [slot for slot in range(SLOTS + 200) if slot not in words]:
        for place in range(len(words)):
            moved = replace(package.account.slots[place], slot=other)
            account = replace(package.account, slots=(moved,))
            try:
                proven, _ = verify_package(sample.block_hash, replace(package, account=account))
            except ProofError:
                continue
            assert other >= SLOTS
            assert proven.words == {other: bytes(32)}


def test_tampering__any_digit_of_a_node_s_answer__is_noticed() -> None:
    sample, random = make_sample(), Random(4)
    root = decode_header(sample.package.header).state_root
    proof, proven = sample.package.account, sample.proven
    assert proven.account is not None
    slot = proof.slots[0]
    answer: dict[str, object] = {
        "address": "0x" + proof.address.hex(),
        "balance": hex(proven.account.balance),
        "nonce": hex(proven.account.nonce),
        "storageHash": "0x" + proven.account.storage_root.hex(),
        "codeHash": "0x" + proven.account.code_hash.hex(),
        "accountProof": ["0x" + node.hex() for node in proof.nodes],
    }
    inner: dict[str, object] = {
        "key": hex(slot.slot),
        "value": "0x" + proven.words[slot.slot].hex(),
        "proof": ["0x" + node.hex() for node in slot.nodes],
    }

    def check(changed: dict[str, object], changed_inner: dict[str, object]) -> None:
        with pytest.raises(ProofError):
            verify_get_proof(root, decode_get_proof(changed | {"storageProof": [changed_inner]}))

    assert verify_get_proof(root, decode_get_proof(answer | {"storageProof": [inner]})).account == proven.account
    for where, name in [(answer, name) for name in answer] + [(inner, name) for name in inner]:
        value = where[name]
        texts = value if isinstance(value, list) else [str(value)]
        for place, text in enumerate(texts):
            for offset in range(0, len(text), 1 if len(text) < 100 else 17):
                other = random.choice([digit for digit in "0123456789abcdef" if digit != text[offset]])
                new: object = text[:offset] + other + text[offset + 1 :]
                if isinstance(value, list):
                    new = [*value[:place], new, *value[place + 1 :]]
                change = {name: new}
                check(answer | change if where is answer else answer, inner | change if where is inner else inner)
