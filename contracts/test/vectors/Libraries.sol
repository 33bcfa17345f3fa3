// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Census} from "../../libraries/Census.sol";
import {LowLevel} from "../../libraries/LowLevel.sol";
import {Records} from "../../libraries/Records.sol";
import {ILibraries} from "./ILibraries.sol";

/// @title The libraries as a contract, so that a test need not be compiled anew when they change
contract Libraries is ILibraries {
    /// @inheritdoc ILibraries
    function parseHeader(bytes32 word) external pure returns (uint256, uint256, uint256, uint256) {
        return Records.parseHeader(word);
    }

    /// @inheritdoc ILibraries
    function packDirect(uint256 voter, uint256 weight, bytes calldata ballot) external view returns (bytes memory) {
        return Records.packDirect(voter, weight, ballot);
    }

    /// @inheritdoc ILibraries
    function hashLeaf(uint256 voter, address account, uint256 weight) external pure returns (bytes32) {
        return Census.hashLeaf(voter, account, weight);
    }

    /// @inheritdoc ILibraries
    function computeRoot(bytes memory queue, bytes32[] calldata proof) external pure returns (bytes32) {
        uint256 begin;
        assembly ("memory-safe") {
            begin := add(queue, 32)
        }
        return LowLevel.computeRoot(begin, begin + queue.length, proof);
    }
}
