// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IBallotBox} from "../../interfaces/IBallotBox.sol";
import {VM} from "../Vm.sol";
import {Ballots} from "../support/Ballots.sol";
import {ElectionTest} from "../support/ElectionTest.sol";
import {Electorate, Electorates} from "../support/Electorate.sol";
import {ILibraries} from "./ILibraries.sol";
import {Vector, Vectors} from "./VectorFile.sol";

/// @notice Trees, proofs and multiproofs by OpenZeppelin, for the libraries and for real boxes.
contract CensusVectorsTest is ElectionTest {
    using Electorates for Electorate;
    using Vectors for Vector;

    ILibraries private _libraries;

    function setUp() public override {
        super.setUp();
        _libraries = ILibraries(VM.deployCode("Libraries.sol:Libraries"));
    }

    function test_proofs__of_the_file__let_every_voter_cast() public {
        Vector[] memory censuses = Vectors.open("censuses.json").list("censuses");
        for (uint256 i = 0; i < censuses.length; ++i) {
            Electorate memory electorate = _electorateOf(censuses[i]);
            box = _createAndOpen(electorate);
            Vector[] memory proofs = censuses[i].list("proofs");
            VM.assertEq(proofs.length, electorate.accounts.length, "a proof for each voter");
            for (uint256 j = 0; j < proofs.length; ++j) {
                _checkProof(electorate, proofs[j].number("index"), proofs[j].words("proof"));
            }
        }
    }

    function test_multiproofs__of_the_file__lead_to_the_root() public view {
        Vector[] memory censuses = Vectors.open("censuses.json").list("censuses");
        for (uint256 i = 0; i < censuses.length; ++i) {
            Electorate memory electorate = _electorateOf(censuses[i]);
            Vector[] memory multiproofs = censuses[i].list("multiproofs");
            for (uint256 j = 0; j < multiproofs.length; ++j) {
                _checkMultiproof(electorate, multiproofs[j].numbers("indices"), multiproofs[j].words("proof"));
            }
        }
    }

    function _checkProof(Electorate memory electorate, uint256 voter, bytes32[] memory proof) private {
        VM.assertEq(abi.encode(electorate.prove(voter)), abi.encode(proof));
        uint96 weight = electorate.weights[voter];
        _assertCasts(
            electorate.accounts[voter],
            address(box),
            abi.encodeCall(IBallotBox.cast, (uint32(voter), weight, BALLOT, proof)),
            Ballots.pack(voter, Ballots.DIRECT + NOW, weight, BALLOT)
        );
    }

    function _checkMultiproof(Electorate memory electorate, uint256[] memory voters, bytes32[] memory proof)
        private
        view
    {
        VM.assertEq(abi.encode(electorate.proveMany(voters)), abi.encode(proof));
        bytes32 root = _libraries.computeRoot(_queue(electorate, voters), proof);
        VM.assertEq(root, electorate.roots()[voters[0] >> electorate.sheetBits]);
    }

    /// @dev The census of a vector, sealed, with the roots and the leaf that the file says.
    function _electorateOf(Vector memory census) private view returns (Electorate memory electorate) {
        Vector[] memory voters = census.list("voters");
        electorate.sheetBits = census.number("sheet_bits");
        electorate.accounts = new address[](voters.length);
        electorate.weights = new uint96[](voters.length);
        for (uint256 i = 0; i < voters.length; ++i) {
            electorate.accounts[i] = voters[i].account("address");
            electorate.weights[i] = uint96(voters[i].number("weight"));
        }
        VM.assertEq(_libraries.hashLeaf(0, electorate.accounts[0], electorate.weights[0]), census.word("first_leaf"));
        VM.assertEq(abi.encode(electorate.seal().roots()), abi.encode(census.words("sheet_roots")));
    }

    /// @dev The leaves of some voters of a sheet with their places in its tree, counted from 1.
    function _queue(Electorate memory electorate, uint256[] memory voters) private view returns (bytes memory queue) {
        uint256 sheet = voters[0] >> electorate.sheetBits;
        uint256 nodes = electorate.sheets[sheet].length;
        for (uint256 i = 0; i < voters.length; ++i) {
            uint256 voter = voters[i];
            bytes32 leaf = _libraries.hashLeaf(voter, electorate.accounts[voter], electorate.weights[voter]);
            queue = bytes.concat(queue, abi.encode(nodes - (voter - (sheet << electorate.sheetBits)), leaf));
        }
    }
}
