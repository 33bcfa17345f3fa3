// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {LowLevel} from "./LowLevel.sol";

/// @title Records: the packed form in which ballots enter the chain of hashes
/// @dev     uint32 voter | uint40 castAt | uint96 weight | uint16 length | ballot      (big-endian)
library Records {
    /// Bytes before the ballot.
    uint256 internal constant HEADER = 23;
    /// Bytes of a compact signature (EIP-2098).
    uint256 internal constant SIGNATURE = 64;
    /// Set in the `castAt` of a voter's own transaction, so that it outranks every signature.
    uint256 internal constant DIRECT = 1 << 39;

    /// @dev The parts of a header, given 32 bytes that begin with it.
    function parseHeader(bytes32 word)
        internal
        pure
        returns (uint256 voter, uint256 castAt, uint256 weight, uint256 length)
    {
        uint256 header = uint256(word);
        voter = header >> 224;
        castAt = uint40(header >> 184);
        weight = uint96(header >> 88);
        length = uint16(header >> 72);
    }

    /// @dev The record of a voter's own transaction.
    function packDirect(uint256 voter, uint256 weight, bytes calldata ballot) internal view returns (bytes memory) {
        // The timestamp is below 2**39 while a box is open, and a ballot that it takes is no longer than uint16 says.
        uint256 castAt = block.timestamp | DIRECT;
        uint256 header = voter << 224 | castAt << 184 | weight << 88 | ballot.length << 72;
        return LowLevel.concat(bytes32(header), HEADER, ballot);
    }
}
