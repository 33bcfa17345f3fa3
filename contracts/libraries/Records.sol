// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @title Records: the packed form in which ballots enter the chain of hashes
/// @dev     uint32 voter | uint40 castAt | uint96 weight | uint16 length | ballot      (big-endian)
library Records {
    /// Bytes before the ballot.
    uint256 internal constant HEADER = 23;
    /// Bytes of a compact signature (EIP-2098) behind a signed record.
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
    function packDirect(uint32 voter, uint96 weight, bytes calldata ballot) internal view returns (bytes memory) {
        // forge-lint: disable-next-line(unsafe-typecast) a box is open only before 2**39, and its ballots fit uint16
        return abi.encodePacked(voter, uint40(block.timestamp | DIRECT), weight, uint16(ballot.length), ballot);
    }
}
