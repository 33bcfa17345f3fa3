// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {VM} from "../Vm.sol";
import {SheetTree} from "./SheetTree.sol";

/// @notice A census whose voters' keys are known.
struct Electorate {
    /// A sheet holds 2**sheetBits voters.
    uint256 sheetBits;
    /// Accounts in census order.
    address[] accounts;
    /// Their weights.
    uint96[] weights;
    /// The nodes of each sheet's tree; empty until `seal`.
    bytes32[][] sheets;
}

/// @title Electorates: censuses of any size, with their roots and proofs
library Electorates {
    using Electorates for Electorate;

    /// @notice The private key of a voter. Anyone can compute it: it is for tests alone.
    function key(uint256 voter) internal pure returns (uint256) {
        return uint256(keccak256(abi.encode("QBallot test voter", voter)));
    }

    /// @notice `count` voters, not yet sealed: a test may still change accounts and weights.
    function make(uint256 count, uint256 sheetBits) internal pure returns (Electorate memory electorate) {
        electorate.sheetBits = sheetBits;
        electorate.accounts = new address[](count);
        electorate.weights = new uint96[](count);
        for (uint256 voter = 0; voter < count; ++voter) {
            electorate.accounts[voter] = VM.addr(key(voter));
            electorate.weights[voter] = uint96(1 + 7 * voter);
        }
    }

    /// @notice Builds the sheets' trees.
    function seal(Electorate memory electorate) internal pure returns (Electorate memory) {
        electorate.sheets = new bytes32[][](electorate.sheetCount());
        for (uint256 sheet = 0; sheet < electorate.sheets.length; ++sheet) {
            electorate.sheets[sheet] = SheetTree.build(electorate.leaves(sheet));
        }
        return electorate;
    }

    /// @notice The leaves of a sheet, in census order.
    function leaves(Electorate memory electorate, uint256 sheet) internal pure returns (bytes32[] memory list) {
        uint256 start = sheet << electorate.sheetBits;
        uint256 size = electorate.accounts.length - start;
        if (size > 1 << electorate.sheetBits) size = 1 << electorate.sheetBits;
        list = new bytes32[](size);
        for (uint256 i = 0; i < size; ++i) {
            uint256 voter = start + i;
            list[i] = SheetTree.hashLeaf(voter, electorate.accounts[voter], electorate.weights[voter]);
        }
    }

    /// @notice How many sheets there are: the last one may be smaller.
    function sheetCount(Electorate memory electorate) internal pure returns (uint256) {
        uint256 size = 1 << electorate.sheetBits;
        return (electorate.accounts.length + size - 1) / size;
    }

    /// @notice The roots of all sheets.
    function roots(Electorate memory electorate) internal pure returns (bytes32[] memory list) {
        list = new bytes32[](electorate.sheets.length);
        for (uint256 sheet = 0; sheet < list.length; ++sheet) {
            list[sheet] = electorate.sheets[sheet][0];
        }
    }

    /// @notice The proof of one voter in the voter's sheet.
    function prove(Electorate memory electorate, uint256 voter) internal pure returns (bytes32[] memory) {
        uint256 sheet = voter >> electorate.sheetBits;
        return SheetTree.prove(electorate.sheets[sheet], voter - (sheet << electorate.sheetBits));
    }

    /// @notice The multiproof of voters of one sheet.
    function proveMany(Electorate memory electorate, uint256[] memory voters) internal pure returns (bytes32[] memory) {
        uint256 sheet = voters[0] >> electorate.sheetBits;
        uint256[] memory places = new uint256[](voters.length);
        for (uint256 i = 0; i < voters.length; ++i) {
            places[i] = voters[i] - (sheet << electorate.sheetBits);
        }
        return SheetTree.proveMany(electorate.sheets[sheet], places);
    }
}
