"""Everything that an endpoint may lie about, each lie by a seed."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from fault_proxy import Behaviour, Call, Failure, Reply
from liar import HEAD_CALL, change, tell
from log_lies import EDITS
from lying_chain import World
from misbehaviours import lag
from story import Json, Story, number_of

from qballot.core.forks import FIELDS, Field
from qballot.core.keccak import keccak

HEADERS = {"eth_getBlockByNumber", "eth_getBlockByHash"}


@dataclass(frozen=True)
class Lie:
    """An endpoint that lies. text: how."""

    text: str
    behaviour: Behaviour


def make_lie(world: World, seed: str) -> Lie:
    """Make an endpoint that lies in one to three ways."""
    chance = random.Random(seed)
    kinds = chance.choices(KINDS, WEIGHTS, k=chance.choices((1, 2, 3), (6, 3, 1))[0])
    story = Story(world, json.loads(json.dumps(world.logs)))
    texts = [tell_otherwise(chance, story) for kind in kinds if kind is tell_otherwise]
    if texts:
        texts.append(choose_cover(chance, story))
    texts += [forge_headers(chance, story) for kind in kinds if kind is forge_headers]
    behaviour = _behind(tell(story), world.told)
    for kind in kinds:
        if kind not in {tell_otherwise, forge_headers}:
            text, behaviour = kind(chance, world, behaviour)
            texts.append(text)
    return Lie("; ".join(texts), behaviour)


# What is told of logs.


def tell_otherwise(chance: random.Random, story: Story) -> str:
    """Change what is told of the logs."""
    edit = chance.choice(EDITS)
    try:
        edit(chance, story)
    except (IndexError, StopIteration):
        return f"{edit.__name__} of what an earlier lie has taken away"
    story.logs.sort(key=lambda log: (number_of(log), int(log["logIndex"], 16)))
    return edit.__name__


def choose_cover(chance: random.Random, story: Story) -> str:
    """Choose how well the rest fits to what is told of the logs."""
    story.in_receipts = chance.random() < 0.7
    story.in_heads = chance.random() < 0.7
    story.blooms = chance.choice(("true", "none", "fitting", "fitting"))
    story.rehashed = chance.random() < 0.4
    story.in_root = story.in_receipts and chance.random() < 0.5
    return (
        f"in_receipts={story.in_receipts} in_heads={story.in_heads} blooms={story.blooms} "
        f"rehashed={story.rehashed} in_root={story.in_root}"
    )


# What is told of headers.


def forge_headers(chance: random.Random, story: Story) -> str:
    """Change a field of one header or of many; hashes stay, or are made to fit."""
    last = story.world.told
    field = chance.choice([item for item in FIELDS if story.world.headers[last].get(item.name) is not None])
    numbers = chance.choice(
        [
            [last],
            [chance.randrange(last + 1)],
            list(range(story.world.first, last + 1)),
            list(range(last - 3, last + 1)),
        ]
    )
    for number in numbers:
        true = story.world.headers[number].get(field.name)
        if true is not None and (field.name != "number" or story.rehashed):
            story.fields.setdefault(number, {})[field.name] = _another(chance, field, true)
    story.rehashed = story.rehashed or chance.random() < 0.5
    if chance.random() < 0.1:
        story.fields.setdefault(last, {})["hash"] = "0x" + keccak(b"no block").hex()
    return f"header field {field.name} of {len(numbers)} blocks, rehashed={story.rehashed}"


def _another(chance: random.Random, field: Field, true: str) -> str:
    if field.name == "timestamp":
        return hex(max(0, int(true, 16) + chance.choice((-(10**4), -1, 1, 10**5, 10**8))))
    if field.bits:
        return hex(int(true, 16) ^ 1 << chance.randrange(20))
    if true == "0x":
        return "0x00"
    place = chance.randrange(2, len(true))
    return true[:place] + ("0" if true[place] != "0" else "1") + true[place + 1 :]


# What is told of all else.


def forge_head(chance: random.Random, world: World, inner: Behaviour) -> tuple[str, Behaviour]:
    """Answer `head()` at random, or with what it was before."""
    forged = chance.choice(["0x" + keccak(b"no head").hex(), "0x" + bytes(32).hex(), "0x"])

    def behave(call: Call) -> Reply:
        if call.method == "eth_call" and HEAD_CALL in call.params[0].values():
            return type(inner(call))(forged) if not isinstance(inner(call), Failure) else inner(call)
        return inner(call)

    return f"head() is {forged[:10]}", behave


def forge_proof(chance: random.Random, world: World, inner: Behaviour) -> tuple[str, Behaviour]:
    """Change proofs: their nodes, or which account, block or slot they are of; or deny them."""
    kind = chance.choice(
        ("byte", "cut", "other account", "older block", "other slot", "empty", "value", "swap", "deny")
    )
    place, bit = chance.random(), chance.randrange(8)
    box = "0x" + chance.choice(world.boxes).hex()
    only = chance.choice((None, *("0x" + own.hex() for own in world.boxes)))

    def spoil(nodes: list[str]) -> list[str]:
        if not nodes:
            return nodes
        at = int(place * len(nodes))
        if kind == "cut":
            return nodes[:at] + nodes[at + 1 :]
        if kind == "empty":
            return []
        if kind == "swap":
            return nodes[::-1]
        node = bytearray.fromhex(nodes[at][2:])
        node[int(place * len(node))] ^= 1 << bit
        return [*nodes[:at], "0x" + node.hex(), *nodes[at + 1 :]]

    def behave(call: Call) -> Reply:
        if call.method != "eth_getProof" or only not in {None, call.params[0].lower()}:
            return inner(call)
        if kind == "deny":
            return Failure(-32601, "the method eth_getProof does not exist/is not available")
        params = list(call.params)
        if kind == "other account":
            params[0] = box
        elif kind == "older block":
            number = int(params[2], 16) if params[2].startswith("0x") else world.told
            params[2] = hex(max(world.first, number - 75 - int(place * 10)))
        elif kind == "other slot" and params[1]:
            params[1] = ["0x" + bytes(31).hex() + "01"]
        reply = inner(Call(call.method, params, call.nth, call.leads))
        value = json.loads(json.dumps(getattr(reply, "value", None)))
        if not isinstance(value, dict):
            return reply
        if kind == "other account":
            value["address"] = call.params[0]
        for slot, asked in zip(value["storageProof"], call.params[1], strict=False):
            slot["key"] = asked
            if kind == "value":
                slot["value"] = "0x" + keccak(b"a head").hex()
        if kind in {"byte", "cut", "empty", "swap"}:
            own = value["storageProof"] and chance_of_slot
            if own:
                value["storageProof"][0]["proof"] = spoil(value["storageProof"][0]["proof"])
            else:
                value["accountProof"] = spoil(value["accountProof"])
        return type(reply)(value)

    chance_of_slot = chance.random() < 0.5
    return f"proofs: {kind}", behave


def forge_code(chance: random.Random, world: World, inner: Behaviour) -> tuple[str, Behaviour]:
    """Change the code of boxes, or deny that there is any."""
    kind = chance.choice(("byte", "none", "closing"))
    place, bit = chance.random(), chance.randrange(8)

    def spoil(_call: Call, value: Any) -> Any:
        code = bytearray.fromhex(value[2:])
        if not code or kind == "none":
            return "0x"
        code[int(place * len(code)) if kind == "byte" else max(0, len(code) - 60)] ^= 1 << bit
        return "0x" + code.hex()

    return f"code: {kind}", change(inner, {"eth_getCode"}, spoil)


def forge_receipts(chance: random.Random, world: World, inner: Behaviour) -> tuple[str, Behaviour]:
    """Change the receipts of blocks."""
    kind = chance.choice(("none", "first", "no logs", "gas", "null", "status"))

    def spoil(_call: Call, value: Any) -> Any:
        found: list[Json] = json.loads(json.dumps(value))
        if kind == "none":
            return []
        if kind == "null":
            return None
        if kind == "first":
            return found[1:]
        for receipt in found:
            if kind == "no logs":
                receipt["logs"] = []
            elif kind == "gas":
                receipt["cumulativeGasUsed"] = hex(int(receipt["cumulativeGasUsed"], 16) + 1)
            else:
                receipt["status"] = "0x0"
        return found

    return f"receipts: {kind}", change(inner, {"eth_getBlockReceipts"}, spoil)


def forge_tip(chance: random.Random, world: World, inner: Behaviour) -> tuple[str, Behaviour]:
    """Lie about the latest block, or about the final one."""
    kind = chance.choice(("behind", "final is latest", "final is first", "ahead", "another tag"))
    top = chance.randrange(world.first, world.told)
    if kind == "behind":
        return f"behind, at {top}", _behind(inner, top)

    def behave(call: Call) -> Reply:
        if call.method not in HEADERS or call.params[0] not in {"finalized", "latest"}:
            return inner(call)
        number = {"final is latest": world.told, "final is first": 0, "another tag": top}.get(kind, world.told)
        if kind != "ahead" and call.params[0] == "latest" and kind != "another tag":
            number = world.told
        reply = inner(Call(call.method, [hex(number), *call.params[1:]], call.nth, call.leads))
        value = getattr(reply, "value", None)
        if kind == "ahead" and call.params[0] == "latest" and isinstance(value, dict):
            return type(reply)({**value, "number": hex(number + 5), "hash": "0x" + keccak(b"ahead").hex()})
        return reply

    return f"tip: {kind}", behave


def _behind(inner: Behaviour, top: int) -> Behaviour:
    return lag(inner, lambda: top)  # type: ignore[arg-type]  # any behaviour will do for a node


KINDS: tuple[Callable[..., Any], ...] = (
    tell_otherwise,
    forge_headers,
    forge_head,
    forge_proof,
    forge_code,
    forge_receipts,
    forge_tip,
)
WEIGHTS = (8, 4, 1, 3, 1, 1, 2)
