// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {LibClone} from "solady/src/utils/LibClone.sol";

/// @notice The rules that a cast is checked against.
struct Rules {
    /// First second in which ballots are taken (unix time).
    uint256 opensAt;
    /// First second in which they are taken no more (unix time).
    uint256 closesAt;
    /// A ward holds 2**wardBits voters.
    uint256 wardBits;
    /// Number of voters.
    uint256 voters;
    /// Most bytes that a ballot may have.
    uint256 maxBallotBytes;
}

/// @title The immutable arguments of a box, which are the end of its own code
/// @dev Packed without padding:
///
///     offset  0  definitionHash  32 bytes
///            32  organizer       20
///            52  opensAt          5
///            57  closesAt         5
///            62  wardBits         1
///            63  voters           4
///            67  maxBallotBytes   2
///            69  root of ward 0  32, then of ward 1, …
library BoxArguments {
    uint256 internal constant ORGANIZER = 32;
    uint256 internal constant RULES = 52;
    uint256 internal constant WARD_ROOTS = 69;

    function definitionHash() internal view returns (bytes32) {
        return bytes32(LibClone.argsOnClone(address(this), 0, ORGANIZER));
    }

    function organizer() internal view returns (address) {
        return address(bytes20(LibClone.argsOnClone(address(this), ORGANIZER, RULES)));
    }

    function rules() internal view returns (Rules memory r) {
        uint256 packed = uint256(bytes32(LibClone.argsOnClone(address(this), RULES, WARD_ROOTS)));
        r.opensAt = packed >> 216;
        r.closesAt = uint40(packed >> 176);
        r.wardBits = uint8(packed >> 168);
        r.voters = uint32(packed >> 136);
        r.maxBallotBytes = uint16(packed >> 120);
    }

    /// @dev The caller has checked that the ward exists; beyond the last one this is zero.
    function wardRoot(uint256 ward) internal view returns (bytes32) {
        unchecked {
            // A ward's index is below 2**32, so the offset is far below 2**256.
            uint256 start = WARD_ROOTS + 32 * ward;
            return bytes32(LibClone.argsOnClone(address(this), start, start + 32));
        }
    }
}
