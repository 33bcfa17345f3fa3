// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {LibClone} from "solady/src/utils/LibClone.sol";
import {LibRLP} from "solady/src/utils/LibRLP.sol";

/// @title What the vectors are made by: the EVM's own encoding and hashing, and Solady's clones
/// @dev Shares no code with the ballot box, so that the vectors check the box too.
contract Reference {
    function packRecord(uint32 voter, uint40 castAt, uint96 weight, bytes calldata ballot)
        external
        pure
        returns (bytes memory)
    {
        return abi.encodePacked(voter, castAt, weight, uint16(ballot.length), ballot);
    }

    function advanceHead(bytes32 head, bytes calldata records) external pure returns (bytes32) {
        return keccak256(abi.encode(head, keccak256(records)));
    }

    function cancelledHead() external pure returns (bytes32) {
        return keccak256("QBallot: cancelled");
    }

    function packArguments(
        bytes32 definitionHash,
        address organizer,
        uint40[2] calldata window,
        uint8 sheetBits,
        uint32 voters,
        uint16 maxBallotBytes,
        bool textBallots,
        bytes32[] calldata sheetRoots
    ) external pure returns (bytes memory) {
        bytes memory times = abi.encodePacked(window[0], window[1]);
        return abi.encodePacked(
            definitionHash, organizer, times, sheetBits, voters, maxBallotBytes, textBallots, sheetRoots
        );
    }

    function initCode(address implementation, bytes memory arguments) external pure returns (bytes memory) {
        return LibClone.initCode(implementation, arguments);
    }

    function runtimeCode(address implementation, bytes memory arguments) external returns (bytes memory) {
        return LibClone.cloneDeterministic(implementation, arguments, 0).code;
    }

    function boxAddress(
        address factory,
        address implementation,
        bytes memory arguments,
        address organizer,
        bytes32 salt
    ) external pure returns (address) {
        bytes32 boxSalt = keccak256(abi.encode(organizer, salt));
        return LibClone.predictDeterministicAddress(implementation, arguments, boxSalt, factory);
    }

    function createAddress(address sender, uint256 nonce) external pure returns (address) {
        return LibRLP.computeAddress(sender, nonce);
    }
}
