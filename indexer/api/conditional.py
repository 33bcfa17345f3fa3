"""Answers that are not sent again to who has them."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Header

IfNoneMatch = Annotated[str | None, Header(description="ETag of the answer that the client has")]

NOT_MODIFIED: dict[int | str, dict[str, Any]] = {
    304: {"description": "Nothing has changed since the answer with this ETag"}
}


def matches(if_none_match: str | None, etag: str) -> bool:
    """Compare as RFC 9110 §13.1.2 asks: any of a list, weak or not, or `*`."""
    tags = [tag.strip().removeprefix("W/") for tag in (if_none_match or "").split(",")]
    return etag in tags or "*" in tags
