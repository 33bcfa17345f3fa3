// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {VM} from "../Vm.sol";
import {WardTree} from "./WardTree.sol";

/// @notice A census whose voters' keys are known.
struct Electorate {
    /// A ward holds 2**wardBits voters.
    uint256 wardBits;
    /// Accounts in census order.
    address[] accounts;
    /// Their weights.
    uint96[] weights;
    /// The nodes of each ward's tree; empty until `seal`.
    bytes32[][] wards;
}

/// @title Electorates: censuses of any size, with their roots and proofs
library Electorates {
    using Electorates for Electorate;

    /// @notice The private key of a voter. Anyone can compute it: it is for tests alone.
    function key(uint256 voter) internal pure returns (uint256) {
        return uint256(keccak256(abi.encode("QBallot test voter", voter)));
    }

    /// @notice `count` voters, not yet sealed: a test may still change accounts and weights.
    function make(uint256 count, uint256 wardBits) internal pure returns (Electorate memory electorate) {
        electorate.wardBits = wardBits;
        electorate.accounts = new address[](count);
        electorate.weights = new uint96[](count);
        for (uint256 voter = 0; voter < count; ++voter) {
            electorate.accounts[voter] = VM.addr(key(voter));
            electorate.weights[voter] = uint96(1 + 7 * voter);
        }
    }

    /// @notice Builds the wards' trees.
    function seal(Electorate memory electorate) internal pure returns (Electorate memory) {
        electorate.wards = new bytes32[][](electorate.wardCount());
        for (uint256 ward = 0; ward < electorate.wards.length; ++ward) {
            electorate.wards[ward] = WardTree.build(electorate.leaves(ward));
        }
        return electorate;
    }

    /// @notice The leaves of a ward, in census order.
    function leaves(Electorate memory electorate, uint256 ward) internal pure returns (bytes32[] memory list) {
        uint256 start = ward << electorate.wardBits;
        uint256 size = electorate.accounts.length - start;
        if (size > 1 << electorate.wardBits) size = 1 << electorate.wardBits;
        list = new bytes32[](size);
        for (uint256 i = 0; i < size; ++i) {
            uint256 voter = start + i;
            list[i] = WardTree.hashLeaf(voter, electorate.accounts[voter], electorate.weights[voter]);
        }
    }

    /// @notice How many wards there are: the last one may be smaller.
    function wardCount(Electorate memory electorate) internal pure returns (uint256) {
        uint256 size = 1 << electorate.wardBits;
        return (electorate.accounts.length + size - 1) / size;
    }

    /// @notice The roots of all wards.
    function roots(Electorate memory electorate) internal pure returns (bytes32[] memory list) {
        list = new bytes32[](electorate.wards.length);
        for (uint256 ward = 0; ward < list.length; ++ward) {
            list[ward] = electorate.wards[ward][0];
        }
    }

    /// @notice The proof of one voter in the voter's ward.
    function prove(Electorate memory electorate, uint256 voter) internal pure returns (bytes32[] memory) {
        uint256 ward = voter >> electorate.wardBits;
        return WardTree.prove(electorate.wards[ward], voter - (ward << electorate.wardBits));
    }

    /// @notice The multiproof of voters of one ward.
    function proveMany(Electorate memory electorate, uint256[] memory voters) internal pure returns (bytes32[] memory) {
        uint256 ward = voters[0] >> electorate.wardBits;
        uint256[] memory places = new uint256[](voters.length);
        for (uint256 i = 0; i < voters.length; ++i) {
            places[i] = voters[i] - (ward << electorate.wardBits);
        }
        return WardTree.proveMany(electorate.wards[ward], places);
    }
}
