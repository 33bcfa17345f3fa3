// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @notice Numbers that follow from a seed.
struct Dice {
    bytes32 state;
}

/// @title Rolls: as many random numbers as a test needs from one that the fuzzer draws
library Rolls {
    /// @notice A word.
    function word(Dice memory self) internal pure returns (uint256) {
        self.state = keccak256(abi.encode(self.state));
        return uint256(self.state);
    }

    /// @notice A number below `sides`.
    function roll(Dice memory self, uint256 sides) internal pure returns (uint256) {
        return word(self) % sides;
    }

    /// @notice A number of at most so many bits, of which small ones are as likely as great ones.
    function number(Dice memory self, uint256 bits) internal pure returns (uint256) {
        uint256 size = roll(self, bits + 1);
        return size == 0 ? 0 : word(self) >> (256 - size);
    }

    /// @notice So many bytes.
    function data(Dice memory self, uint256 length) internal pure returns (bytes memory drawn) {
        drawn = new bytes(length);
        bytes32 bits;
        for (uint256 i = 0; i < length; ++i) {
            if (i % 32 == 0) bits = bytes32(word(self));
            drawn[i] = bits[i % 32];
        }
    }
}
