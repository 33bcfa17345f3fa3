"""The local chain's accounts, its example, and how its clock is told where to go."""

from __future__ import annotations

import pytest

from qballot.chain.accounts import DEVNET_KEYS
from qballot.core.definition import parse_definition_document
from qballot.core.tally import METHODS
from qballot.errors import InputError
from qballot.local_chain import compute_target, example_definition, list_public_accounts

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("text", "target"),
    [
        ("+1", 1_001),
        ("+90s", 1_090),
        ("+2m", 1_120),
        ("+1h", 4_600),
        ("+1d", 87_400),
        ("+1w", 605_800),
        ("5000", 5_000),
        ("open", 2_000),
        ("close", 3_000),
    ],
)
def test_compute_target__each_way_to_say_it__is_this_moment(text: str, target: int) -> None:
    assert compute_target(text, now=1_000, opens_at=2_000, closes_at=3_000) == target


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("1000", "later than 1000"),
        ("+0", "later than 1000"),
        ("999", "a clock only goes forward"),
        (str(2**39), "a clock only goes forward"),
        ("-1d", "expected a span such as +1d"),
        ("+1y", "expected a span such as +1d"),
        ("tomorrow", "expected a span such as +1d"),
        ("", "expected a span such as +1d"),
        ("open", "name its ballot box with --box"),
        ("close", "name its ballot box with --box"),
    ],
)
def test_compute_target__anything_else__is_refused(text: str, said: str) -> None:
    with pytest.raises(InputError) as caught:
        compute_target(text, now=1_000)
    assert said in str(caught.value)


def test_public_accounts__are_those_that_anvil_gives_ether_to() -> None:
    assert tuple(account.private_key for account in list_public_accounts(len(DEVNET_KEYS))) == DEVNET_KEYS


def test_example__is_valid_and_its_contests_are_of_several_kinds() -> None:
    definition, _ = parse_definition_document(example_definition())
    assert {METHODS[contest.method].words.verb for contest in definition.contests} >= {"choose", "rank", "score"}
