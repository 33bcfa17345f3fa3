"""A client of an indexer's API, for Python programs.

    with Client("https://elections.example") as client:
        for election in client.elections():
            print(election.title, client.result(election.election).state)

`client.py` has a method for every route, `answers.py` the forms of what they return, `http.py` the connection.
What it returns is what that server says: see a result's `level`, or verify the evidence (`qballot.core.proof`).
"""

from qballot.client.answers import (
    Alive,
    Ballot,
    BallotPage,
    Block,
    Contest,
    Election,
    ElectionPage,
    ElectionSummary,
    Naming,
    Proof,
    Readiness,
    Result,
    Source,
    Turnout,
    UnknownHeader,
    Verification,
)
from qballot.client.client import Client

__all__ = [
    "Alive",
    "Ballot",
    "BallotPage",
    "Block",
    "Client",
    "Contest",
    "Election",
    "ElectionPage",
    "ElectionSummary",
    "Naming",
    "Proof",
    "Readiness",
    "Result",
    "Source",
    "Turnout",
    "UnknownHeader",
    "Verification",
]
