// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {LowLevel} from "./LowLevel.sol";

/// @notice The rules that a cast is checked against, in one word, as they stand in the code.
type Rules is uint256;

using BoxArguments for Rules global;

/// @title The immutable arguments of a box, which are the end of its own code
/// @dev The code is that of Solady's clone with immutable arguments: 10 bytes of prefix, the implementation's address,
/// 15 bytes more, then the arguments, packed without padding:
///
///     offset  0  definitionHash  32 bytes
///            32  organizer       20
///            52  opensAt          5
///            57  closesAt         5
///            62  sheetBits         1
///            63  voters           4
///            67  maxBallotBytes   2
///            69  textBallots      1, which is 0 or 1
///            70  root of sheet 0  32, then of sheet 1, …
library BoxArguments {
    bytes10 internal constant CLONE_PREFIX = 0x363d3d373d3d3d363d73;
    /// Where the arguments begin in the code.
    uint256 internal constant START = 45;
    uint256 internal constant ORGANIZER = START + 32;
    uint256 internal constant RULES = START + 52;
    uint256 internal constant SHEET_ROOTS = START + 70;

    /// @dev Whether the executing account is a clone, so that what follows here means anything.
    function isClone() internal view returns (bool) {
        return bytes10(LowLevel.ownCode(0)) == CLONE_PREFIX;
    }

    function definitionHash() internal view returns (bytes32) {
        return LowLevel.ownCode(START);
    }

    function organizer() internal view returns (address) {
        return address(bytes20(LowLevel.ownCode(ORGANIZER)));
    }

    function rules() internal view returns (Rules) {
        return Rules.wrap(uint256(LowLevel.ownCode(RULES)));
    }

    function opensAt(Rules self) internal pure returns (uint256) {
        return Rules.unwrap(self) >> 216;
    }

    function closesAt(Rules self) internal pure returns (uint256) {
        return uint40(Rules.unwrap(self) >> 176);
    }

    function sheetBits(Rules self) internal pure returns (uint256) {
        return uint8(Rules.unwrap(self) >> 168);
    }

    function voters(Rules self) internal pure returns (uint256) {
        return uint32(Rules.unwrap(self) >> 136);
    }

    function maxBallotBytes(Rules self) internal pure returns (uint256) {
        return uint16(Rules.unwrap(self) >> 120);
    }

    function textBallots(Rules self) internal pure returns (bool) {
        return uint8(Rules.unwrap(self) >> 112) != 0;
    }

    /// @dev The caller has checked that the sheet exists; beyond the last one this is zero.
    function sheetRoot(uint256 sheet) internal view returns (bytes32) {
        unchecked {
            // A sheet's index is below 2**32, so the offset is far below 2**256.
            return LowLevel.ownCode(SHEET_ROOTS + 32 * sheet);
        }
    }
}
