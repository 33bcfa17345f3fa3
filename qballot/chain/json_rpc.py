"""The forms of JSON-RPC's answers, and what can be read from an answer of another form.

Only what is asked for is decoded: results and the data of errors stay JSON until somebody wants them.
"""

from __future__ import annotations

from typing import Any

import msgspec

from qballot.chain.masking import MAX_READ, MAX_SAID
from qballot.chain.plain_json import decode_plain

REVERT_CODE = 3
"""JSON-RPC code of a reverted call, with the revert data beside it (geth and all that follow it)."""

UNREADABLE = (ValueError, RecursionError)
"""What decoding a body may raise; the last one where lists are nested too deeply in what is passed over."""


class ErrorObject(msgspec.Struct):
    """A JSON-RPC error object, its data not decoded yet. `data` is empty when there is none."""

    code: int | None = None
    message: str = ""
    data: msgspec.Raw = msgspec.Raw()

    @property
    def is_revert(self) -> bool:
        """Whether a contract refused a call."""
        return self.code == REVERT_CODE or "execution reverted" in self.message.lower()

    def read_data(self) -> Any:
        """Return the data, any JSON; None when there is none that can be read."""
        try:
            return decode_plain(self.data) if memoryview(self.data).nbytes else None
        except UNREADABLE:
            return None

    def read_revert_data(self) -> bytes:
        """Return the bytes that a contract reverted with; empty when the node does not say."""
        data = self.read_data()
        text = data.get("data") if isinstance(data, dict) else data
        try:
            return bytes.fromhex(text.removeprefix("0x")) if isinstance(text, str) else b""
        except ValueError:
            return b""


class Answer(msgspec.Struct):
    """A JSON-RPC response, its result not decoded yet. `result` is empty when there is none."""

    id: int | str | None = None
    result: msgspec.Raw = msgspec.Raw()
    error: ErrorObject | None = None


_ANSWER = msgspec.json.Decoder(Answer)
_ANSWERS = msgspec.json.Decoder(list[Answer])


def decode_answer(body: bytes) -> Answer | None:
    """Decode the answer to one request; None when it has another form."""
    try:
        return _ANSWER.decode(body)
    except UNREADABLE:
        return None


def decode_answers(body: bytes) -> list[Answer] | None:
    """Decode the answers to a batch; None when they have another form."""
    try:
        return _ANSWERS.decode(body)
    except UNREADABLE:
        return None


def read_words(body: bytes) -> str:
    """Return the words of an error that is no JSON-RPC: a message in JSON, or a text; nothing of a page.

    They are not masked yet, and may be long.
    """
    try:
        value = decode_plain(body)
    except UNREADABLE:
        text = body[:MAX_READ].decode(errors="replace").strip()
        return "" if text.startswith("<") or not text[:MAX_SAID].isprintable() else text
    for name in ("error", "message", "error_description", "detail"):
        if isinstance(value, dict) and isinstance(value.get(name), str):
            return str(value[name])
    return ""
