// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Records} from "../../libraries/Records.sol";
import {VM} from "../Vm.sol";

/// @title Proofs of the packed form, for halmos
/// @notice Each `check_` function holds for all arguments; a ballot's length runs through the lengths given to halmos.
contract RecordsSymbolic {
    /// @notice Parsing takes a header apart without losing a bit, and without a look at what follows.
    function check_parse__any_header__can_be_put_together_again(bytes32 word) external pure {
        (uint256 voter, uint256 castAt, uint256 weight, uint256 length) = Records.parseHeader(word);
        bytes memory packed = abi.encodePacked(uint32(voter), uint40(castAt), uint96(weight), uint16(length));
        assert(voter < 1 << 32 && castAt < 1 << 40 && weight < 1 << 96 && length < 1 << 16);
        assert(packed.length == Records.HEADER);
        assert(bytes23(packed) == bytes23(word));
    }

    /// @notice What Solidity packs, parsing finds again.
    function check_parse__packed_by_solidity__finds_the_parts(
        uint32 voter,
        uint40 castAt,
        uint96 weight,
        uint16 length,
        bytes9 behind
    ) external pure {
        bytes memory packed = abi.encodePacked(voter, castAt, weight, length, behind);
        (uint256 foundVoter, uint256 foundCastAt, uint256 foundWeight, uint256 foundLength) =
            Records.parseHeader(bytes32(packed));
        assert(foundVoter == voter && foundCastAt == castAt && foundWeight == weight && foundLength == length);
    }

    /// @notice A direct cast's record is what Solidity packs, with bit 39 set in its time.
    function check_pack_direct__any_ballot__is_what_solidity_packs(
        uint32 voter,
        uint96 weight,
        uint256 time,
        bytes calldata ballot
    ) external {
        VM.assume(time < 1 << 39);
        VM.warp(time);
        bytes memory packed = Records.packDirect(voter, weight, ballot);
        bytes memory expected = abi.encodePacked(voter, uint40(time + (1 << 39)), weight, uint16(ballot.length), ballot);
        assert(packed.length == expected.length);
        assert(keccak256(packed) == keccak256(expected));
    }
}
