"""What each of the contracts' errors means to the person who meets it, and what to do next."""

from __future__ import annotations

_CLOCK = "the chain's clock counts, see `qballot ballots BOX`"
_REPORT = "this should not happen with this version's commands: the transaction was made by hand, or for another box"

ADVICE = {
    "BallotBoxAlreadyInitialized": "a box is initialized once, by its factory: there is nothing to do",
    "BallotBoxAlreadyOpened": "an election is cancelled before it opens or never: let it run, and announce another one",
    "BallotBoxBallotTooLong": "the ballot has more bytes than the election allows: encode it by the election's own "
    "definition",
    "BallotBoxBatchNotInCensus": "a signature is not its voter's, a weight is not the census's, or the census is "
    "another election's: use the published census file, and leave out the ballots that are named",
    "BallotBoxCastAtOutsideWindow": "a signed ballot is dated outside of the election's window or after the chain's "
    "time: wait for the next block, or sign it anew",
    "BallotBoxElectionCancelled": "the organizer cancelled the election before it opened: ask for the one that "
    "replaces it",
    "BallotBoxEmptyBatch": "a batch needs at least one ballot",
    "BallotBoxInvalidSignature": "no account signed this ballot: ask its voter for the file again",
    "BallotBoxNonCanonicalBatch": _REPORT,
    "BallotBoxNotAClone": "this is the code that boxes share and no box itself: use the address of the election",
    "BallotBoxNotInCensus": "this account with this weight is not at this place of the census: vote from the account "
    "that was enrolled, with the published census file",
    "BallotBoxNotInitialized": "the factory did not make this box: do not use it, and run `qballot deploy check`",
    "BallotBoxNotOpen": f"ballots are taken from the opening until the close: {_CLOCK}",
    "BallotBoxNotOrganizer": "only the account that created the election can cancel it: choose it with --account",
    "BallotBoxTruncatedBatch": _REPORT,
    "BallotBoxVoterOutOfRange": "the census has fewer voters: the census file is another election's",
    "BallotBoxVoterOutsideSheet": "a batch holds ballots of one sheet: bring the sheets in batches of their own",
    "BallotBoxSheetOutOfRange": "the election has fewer sheets: the census file is another election's",
    "BallotBoxFactoryAlreadyCreated": "this very election exists already: use it, or choose another --salt",
    "BallotBoxFactoryInvalidSheetBits": "build the census again with smaller sheets (--sheet-size)",
    "BallotBoxFactoryInvalidWindow": "the opening must be in the future by the chain's clock and before the close: "
    "choose other times",
    "BallotBoxFactoryNoBallotBytes": _REPORT,
    "BallotBoxFactoryNoDefinition": _REPORT,
    "BallotBoxFactoryNoVoters": "the census is empty: build it from a list of voters",
    "BallotBoxFactoryReservedDefinition": "no definition is these bytes: make one with `qballot definition new`",
    "BallotBoxFactoryTooManySheets": "build the census again with larger sheets (--sheet-size): they are fewer",
    "BallotBoxFactoryWrongSheetCount": _REPORT,
    "BallotBoxFactoryZeroSheetRoot": _REPORT,
    "Error": "",
    "Panic": "a fault of the contract that was called: check that the address is right",
    "EmptyRevert": "the contract gave no reason: check that the address is that of an election on this chain",
}
"""By the error's name. `Error` is Solidity's own with a message that speaks for itself."""

UNKNOWN = "this error is none of QBallot's contracts: check that the address is right"
