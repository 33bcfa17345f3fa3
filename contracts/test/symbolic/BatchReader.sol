// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {LowLevel} from "../../libraries/LowLevel.sol";

/// @title LowLevel.readBallots as a contract of its own
/// @notice Where the compiler moves variables to memory, that is not the untouched memory which the function asks for.
contract BatchReader {
    bytes32 private constant TYPEHASH = keccak256("a type");

    /// @notice Reads a batch. Returns what is read and the leaves, with their places.
    function read(bytes calldata batch, bytes32 domain, uint256 limit)
        external
        view
        returns (bytes memory records, uint256 reached, uint256 next, bytes memory queue, uint256 laters)
    {
        uint256 end;
        (records, reached, next, end, laters) =
            LowLevel.readBallots(batch, TYPEHASH, domain, limit, type(uint256).max, 1);
        uint256 begin = LowLevel.QUEUE;
        queue = new bytes(end - begin);
        assembly ("memory-safe") {
            mcopy(add(queue, 32), begin, sub(end, begin))
        }
    }
}
