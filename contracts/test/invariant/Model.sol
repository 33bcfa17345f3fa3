// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Ballots, Record} from "../support/Ballots.sol";

/// @notice What the specification says of one election, kept beside its box.
struct Election {
    address box;
    address organizer;
    uint256 opensAt;
    uint256 closesAt;
    uint256 sheetBits;
    uint256 voters;
    uint256 maxBallotBytes;
    bool textBallots;
    bool cancelled;
    bytes32 head;
}

/// @title Model: what may happen to an election, in a few lines of plain Solidity
library Model {
    /// @notice Whether ballots are taken now.
    function isOpen(Election memory election, uint256 time) internal pure returns (bool) {
        return !election.cancelled && election.opensAt <= time && time < election.closesAt;
    }

    /// @notice Whether `sender` may cancel now.
    function mayCancel(Election memory election, address sender, uint256 time) internal pure returns (bool) {
        return !election.cancelled && sender == election.organizer && time < election.opensAt;
    }

    /// @notice Whether a record may be in the chain at all: its voter and weight are the census's, its ballot is no
    /// longer than allowed, and it is dated within the window, as a direct cast now or not later than now.
    function isAllowed(Election memory election, Record memory record, uint256 time) internal pure returns (bool) {
        if (record.voter >= election.voters || record.ballot.length > election.maxBallotBytes) return false;
        // As `Electorates.make` gives them; making an electorate for each record takes half of a run's time.
        if (record.weight != 1 + 7 * record.voter) return false;
        if (record.castAt >= Ballots.DIRECT) return record.castAt - Ballots.DIRECT == time;
        return election.opensAt <= record.castAt && record.castAt <= time;
    }
}
