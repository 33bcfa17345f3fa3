"""One count of the ballots in a file by another library, in its own environment: `peers.py FILE PEER METHOD SECONDS`.

It is killed when the processor has spent so many seconds on it. Prints JSON: seconds of the processor, and who wins.
`seconds` begin, as ours do, with grouped ballots and include the library's own objects made of them; `count_s` are
those of the count alone. Each library is given the form that it is the fastest with: grouped where it knows weights,
else one and the same object for all equal ballots.
"""

from __future__ import annotations

import json
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable
from fractions import Fraction
from pathlib import Path
from resource import RLIMIT_CPU, setrlimit
from typing import Any

from ballots import OPTIONS, make_scores

SEATS = 3
FIRST_USE = 1_000
Count = Callable[[], Iterable[Any]]


def main() -> None:
    path, peer, method, patience_s = sys.argv[1:]
    setrlimit(RLIMIT_CPU, (int(patience_s), int(patience_s)))
    packed = Path(path).read_bytes()
    groups = Counter(packed[start : start + OPTIONS] for start in range(0, len(packed), OPTIONS))
    # What is compiled or imported at the first use is no part of the count.
    sorted(map(str, PEERS[peer, method](Counter(dict(groups.most_common(FIRST_USE))), method)()))
    started = time.process_time()
    count = PEERS[peer, method](groups, method)
    made = time.process_time()
    winners = sorted(map(str, count()))
    ended = time.process_time()
    print(json.dumps({"seconds": ended - started, "count_s": ended - made, "winners": winners}))


def order(ballot: bytes) -> list[int]:
    """List the options that a ballot ranks, the first one first."""
    return sorted((option for option, rank in enumerate(ballot) if rank), key=ballot.__getitem__)


def with_pref_voting(groups: Counter[bytes], method: str) -> Count:
    from pref_voting.iterative_methods import instant_runoff_for_truncated_linear_orders  # noqa: PLC0415
    from pref_voting.margin_based_methods import beat_path  # noqa: PLC0415
    from pref_voting.profiles_with_ties import ProfileWithTies  # noqa: PLC0415
    from pref_voting.proportional_methods import stv_wig  # noqa: PLC0415

    maps = [{option: rank for option, rank in enumerate(ballot) if rank} for ballot in groups]
    profile = ProfileWithTies(maps, list(groups.values()), candidates=list(range(OPTIONS)))
    profile.use_extended_strict_preference()
    counts: dict[str, Count] = {
        "irv": lambda: instant_runoff_for_truncated_linear_orders(profile),
        "schulze": lambda: beat_path(profile, strength_function=profile.support),
        "stv": lambda: stv_wig(profile, num_seats=SEATS, quota_rule="droop"),
    }
    return lambda: [f"o{option}" for option in counts[method]()]


def with_pyrankvote(groups: Counter[bytes], method: str) -> Count:
    import pyrankvote  # noqa: PLC0415

    options = [pyrankvote.Candidate(f"o{option}") for option in range(OPTIONS)]
    ballots = []
    for ballot, number in groups.items():
        ballots += [pyrankvote.Ballot([options[option] for option in order(ballot)])] * number
    if method == "irv":
        return lambda: pyrankvote.instant_runoff_voting(options, ballots).get_winners()
    return lambda: pyrankvote.single_transferable_vote(options, ballots, SEATS).get_winners()


def with_votekit(groups: Counter[bytes], method: str) -> Count:
    from votekit import Ballot, PreferenceProfile  # noqa: PLC0415
    from votekit.elections import IRV, STV  # noqa: PLC0415

    ballots = [
        Ballot(ranking=tuple(frozenset([f"o{option}"]) for option in order(ballot)), weight=Fraction(number))
        for ballot, number in groups.items()
    ]
    profile = PreferenceProfile(ballots=tuple(ballots), candidates=tuple(f"o{option}" for option in range(OPTIONS)))

    def count() -> list[str]:
        election = IRV(profile) if method == "irv" else STV(profile, m=SEATS)
        return [option for tied in election.get_elected() for option in tied]

    return count


def with_starvote(groups: Counter[bytes], method: str) -> Count:  # noqa: ARG001 - the form that all of these have
    import starvote  # noqa: PLC0415

    ballots = []
    for ballot, number in groups.items():
        scores = {f"o{option}": score for option, score in enumerate(make_scores(ballot))}
        ballots += [scores] * number
    return lambda: starvote.star_voting(ballots, verbosity=0)


PEERS = {
    ("pref_voting", "irv"): with_pref_voting,
    ("pref_voting", "schulze"): with_pref_voting,
    ("pref_voting", "stv"): with_pref_voting,
    ("votekit", "irv"): with_votekit,
    ("votekit", "stv"): with_votekit,
    ("pyrankvote", "irv"): with_pyrankvote,
    ("pyrankvote", "stv"): with_pyrankvote,
    ("starvote", "star"): with_starvote,
}
"""Who counts what."""


if __name__ == "__main__":
    main()
