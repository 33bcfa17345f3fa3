"""Moments: unix seconds or ISO 8601 with a zone, and nothing that could be read in two ways."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qballot.core.moments import LAST_MOMENT, format_moment, parse_moment
from qballot.errors import InputError

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("0", 0),
        ("1798761600", 1_798_761_600),
        ("2027-01-01T00:00:00Z", 1_798_761_600),
        ("2027-01-01t00:00z", 1_798_761_600),
        ("2027-01-01 01:00:00+01:00", 1_798_761_600),
        ("2026-12-31T18:30-05:30", 1_798_761_600),
        ("1970-01-01T00:00:01Z", 1),
        ("9999-12-31T23:59:59Z", LAST_MOMENT),
    ],
)
def test_parse_moment__unix_or_iso_with_zone__is_the_second(text: str, seconds: int) -> None:
    assert parse_moment(text) == seconds


@pytest.mark.parametrize(
    "text",
    [
        "", "now", "-1", "1.5", "1e9", "0x10", "2027-01-01", "2027-01-01T00:00:00", "20270101T000000Z",
        "2027-W01-1T00:00Z",
        "2027-13-01T00:00Z", "2027-02-30T00:00Z", "2027-01-01T24:01Z", "2027-01-01T00:00:00.5Z",
        "2027-01-01T00:00+24:00",
        "1969-12-31T23:59:59Z", "10000-01-01T00:00Z", " 1798761600", "١٢٣", "999999999999", "2027-01-01T00:00+0100",
        "0001-01-01T00:00+14:00",
    ],
)  # fmt: skip
def test_parse_moment__anything_else__says_what_was_expected(text: str) -> None:
    with pytest.raises(InputError, match="expected"):
        parse_moment(text)


@given(st.integers(0, LAST_MOMENT))
def test_format_moment__read_back__is_the_same(seconds: int) -> None:
    assert parse_moment(format_moment(seconds).replace(" UTC", "Z")) == parse_moment(str(seconds)) == seconds


def test_format_moment__beyond_the_calendar__is_the_number() -> None:
    assert format_moment(LAST_MOMENT + 1) == "unix second 253402300800"
