"""Elections on a local chain for the tests of whoever builds on QBallot: a pytest plugin, and what it is made of.

Asked for by name in the topmost `conftest.py`, since its fixtures have plain names that a project may want for itself:

    pytest_plugins = ["qballot.testing"]

    def test_count__two_of_five__is_two(election):
        election.open()
        election.cast_signed([(0, b"\\1\\0\\0"), (1, b"\\0\\1\\0")])
        assert election.box.head("latest") != election.deployment.arguments.definition_hash

Needs pytest (`pip install "qballot[testing]"`) and anvil. `fixtures.py` has the fixtures, `elections.py` what they
give: election, voters, and functions to make others.
"""

from qballot.testing.elections import (
    ElectionOnDevnet,
    Voter,
    make_census,
    make_definition,
    make_election,
    make_keys,
    make_voters,
)
from qballot.testing.fixtures import census, devnet, election, organizer, relayer, rpc, shared_devnet, voters

__all__ = [
    "ElectionOnDevnet",
    "Voter",
    "census",
    "devnet",
    "election",
    "make_census",
    "make_definition",
    "make_election",
    "make_keys",
    "make_voters",
    "organizer",
    "relayer",
    "rpc",
    "shared_devnet",
    "voters",
]
