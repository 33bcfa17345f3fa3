"""How a server's wish to wait is read."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qballot.http_exchange import MAX_RETRY_AFTER_SECONDS, parse_retry_after

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("0", 0.0),
        (" 7 ", 7.0),
        ("3600", MAX_RETRY_AFTER_SECONDS),
        ("9" * 400, MAX_RETRY_AFTER_SECONDS),
        ("Wed, 21 Oct 2015 07:28:00 GMT", 0.0),
        ("Fri, 31 Dec 9999 23:59:59 GMT", MAX_RETRY_AFTER_SECONDS),
        ("Fri, 31 Dec 9999 23:59:59 -0100", MAX_RETRY_AFTER_SECONDS),
        ("Mon, 01 Jan 0001 00:00:00 +0100", 0.0),
        ("Wed, 21 Oct 2015 07:28:00 -0000", 0.0),
        ("Fri, 31 Dec 99999 23:59:59 GMT", None),
        ("Fri, 31 Dec " + "9" * 40 + " 23:59:59 GMT", None),
        ("Fri, 31 Dec 2030 23:59:59 +" + "9" * 40, None),
        ("-1", None),
        ("1.5", None),
        ("٣", None),
        ("soon", None),
        ("", None),
        (None, None),
    ],
)
def test_retry_after__every_form__is_seconds_from_now(text: str | None, seconds: float | None) -> None:
    assert parse_retry_after(text) == seconds


def test_retry_after__date_to_come__is_the_time_until_then() -> None:
    found = parse_retry_after(format_datetime(datetime.now(UTC) + timedelta(seconds=30), usegmt=True))
    assert found is not None
    assert 25 < found <= 30


WORDS = [
    "Fri,",
    "Fri",
    "31",
    "0",
    "Dec",
    "9999",
    "99999",
    "0001",
    "23:59:59",
    "24:60:60",
    "GMT",
    "-0100",
    "+9999",
    "-0000",
]


@given(st.one_of(st.text(), st.lists(st.sampled_from(WORDS), max_size=8).map(" ".join)))
def test_retry_after__whatever_is_said__is_none_or_seconds_up_to_the_most(text: str) -> None:
    found = parse_retry_after(text)
    assert found is None or 0 <= found <= MAX_RETRY_AFTER_SECONDS
