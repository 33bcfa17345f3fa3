// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IBallotBox} from "../interfaces/IBallotBox.sol";
import {ElectionParams} from "../interfaces/IBallotBoxFactory.sol";
import {VM} from "./Vm.sol";
import {ElectionTest} from "./support/ElectionTest.sol";
import {Electorate, Electorates} from "./support/Electorate.sol";
import {SheetTree} from "./support/SheetTree.sol";

/// @notice Attacks on the census: crafted proofs, second preimages, and trees that a builder would refuse to make.
contract SheetsTest is ElectionTest {
    using Electorates for Electorate;

    function test_proof__too_short_or_long__is_refused() public {
        bytes32[] memory proof = _electorate().prove(5);
        _assertRefusesDirect(5, new bytes32[](0));
        _assertRefusesDirect(5, _without(proof, 0));
        _assertRefusesDirect(5, _without(proof, 1));
        _assertRefusesDirect(5, _with(proof, proof.length, bytes32(0)));
        _assertRefusesDirect(5, _with(proof, proof.length, proof[1]));
        _assertRefusesDirect(5, _with(proof, proof.length, box.sheetRoot(1)));
        _assertRefusesDirect(5, _with(proof, 0, bytes32(0)));
        _assertRefusesDirect(5, _with(proof, 0, SheetTree.hashLeaf(5, _electorate().accounts[5], 36)));
        _assertRefusesDirect(5, new bytes32[](300));
    }

    function test_proof__swapped_or_of_another_voter__is_refused() public {
        Electorate memory electorate = _electorate();
        bytes32[] memory proof = electorate.prove(5);
        (proof[0], proof[1]) = (proof[1], proof[0]);
        _assertRefusesDirect(5, proof);
        for (uint256 voter = 0; voter < VOTERS; ++voter) {
            if (voter != 5) _assertRefusesDirect(5, electorate.prove(voter));
        }
    }

    function test_multiproof__too_short_or_long__is_refused() public {
        uint256[] memory voters = _list(4, 6);
        bytes32[] memory proof = _electorate().proveMany(voters);
        _assertRefusesBatch(voters, new bytes32[](0));
        _assertRefusesBatch(voters, _without(proof, 0));
        _assertRefusesBatch(voters, _without(proof, 1));
        for (uint256 place = 0; place <= proof.length; ++place) {
            _assertRefusesBatch(voters, _with(proof, place, bytes32(0)));
            _assertRefusesBatch(voters, _with(proof, place, proof[0]));
            _assertRefusesBatch(voters, _with(proof, place, proof[1]));
            _assertRefusesBatch(voters, _with(proof, place, box.sheetRoot(1)));
        }
        _assertRefusesBatch(voters, new bytes32[](300));
    }

    /// @dev Elements that stand in the calldata but not in the proof do not count.
    function test_multiproof__missing_element_right_behind_it__is_refused() public {
        uint256[] memory voters = _list(4, 6);
        bytes memory data = _batchCall(_signedBatch(voters), voters);
        uint256 lengthAt = data.length - 3 * 32;
        for (uint256 length = 0; length < 2; ++length) {
            assembly ("memory-safe") {
                mstore(add(add(data, 32), lengthAt), length)
            }
            _assertRefuses(data, abi.encodeWithSelector(IBallotBox.BallotBoxBatchNotInCensus.selector, 1));
        }
    }

    function test_multiproof__of_a_whole_sheet__has_no_room_for_an_element() public {
        uint256[] memory voters = _list(8, 9);
        VM.assertEq(_electorate().proveMany(voters).length, 0);
        bytes32[] memory proof = new bytes32[](1);
        _assertRefusesBatch(voters, proof);
        proof[0] = box.sheetRoot(2);
        _assertRefusesBatch(voters, proof);
    }

    function test_multiproof__swapped_or_replaced__is_refused() public {
        uint256[] memory voters = _list(4, 6);
        Electorate memory electorate = _electorate();
        bytes32[] memory proof = electorate.proveMany(voters);
        (proof[0], proof[1]) = (proof[1], proof[0]);
        _assertRefusesBatch(voters, proof);
        for (uint256 place = 0; place < 2; ++place) {
            for (uint256 node = 0; node < 7; ++node) {
                proof = electorate.proveMany(voters);
                if (proof[place] == electorate.sheets[1][node]) continue;
                proof[place] = electorate.sheets[1][node];
                _assertRefusesBatch(voters, proof);
            }
        }
    }

    function test_multiproof__of_any_other_subset__is_refused() public {
        for (uint256 cast = 1; cast < 16; ++cast) {
            for (uint256 proven = 1; proven < 16; ++proven) {
                if (cast == proven) continue;
                _assertRefusesBatch(_subset(cast), _electorate().proveMany(_subset(proven)));
            }
        }
    }

    function test_inner_node__as_a_leaf__is_refused() public {
        // The proof of the inner node above voter 5 is the rest of voter 5's proof; its leaf can only be voter 5's.
        bytes32[] memory above = _without(_electorate().prove(5), 0);
        _assertRefusesDirect(5, above);
        _assertRefusesBatch(_list(5), above);
        _assertRefusesBatch(_list(4, 5), new bytes32[](0));
    }

    function test_leaf__hashed_once_or_of_64_bytes__is_refused() public {
        Electorate memory electorate = _electorate();
        address account = electorate.accounts[1];
        bytes32[4] memory leaves = [
            keccak256(abi.encode(1, account, 8)),
            keccak256(abi.encode(account, 8)),
            keccak256(abi.encodePacked(uint256(uint160(account)) | (1 << 160), uint256(8))),
            keccak256(bytes.concat(keccak256(abi.encodePacked(uint32(1), account, uint96(8)))))
        ];
        for (uint256 i = 0; i < leaves.length; ++i) {
            bytes32[] memory sheet = electorate.leaves(0);
            sheet[1] = leaves[i];
            _openWith(electorate, 0, SheetTree.build(sheet));
            _assertRefusesDirect(1, electorate.prove(1));
            _assertRefusesBatch(_list(1), electorate.prove(1));
        }
    }

    function test_leaf__of_another_sheets_voter__is_refused() public {
        Electorate memory electorate = _electorate();
        bytes32[] memory sheet = electorate.leaves(0);
        sheet[1] = SheetTree.hashLeaf(5, electorate.accounts[5], 36);
        _openWith(electorate, 0, SheetTree.build(sheet));
        _assertRefusesDirect(5, electorate.prove(1));
        _assertRefusesBatch(_list(5), electorate.prove(1));
        // Nor does its account vote under the index of its place.
        _assertReverts(
            electorate.accounts[5],
            address(box),
            abi.encodeCall(IBallotBox.cast, (1, 36, BALLOT, electorate.prove(1))),
            abi.encodeWithSelector(IBallotBox.BallotBoxNotInCensus.selector, 1, electorate.accounts[5], 36)
        );
    }

    function test_leaf__beyond_the_last_voter__is_refused() public {
        // The tree of the last sheet holds voters 8 to 11; the election has 10.
        Electorate memory electorate = Electorates.make(12, SHEET_BITS).seal();
        _openWith(electorate, 2, electorate.sheets[2]);
        for (uint256 voter = 10; voter < 12; ++voter) {
            bytes memory failure = abi.encodeWithSelector(IBallotBox.BallotBoxVoterOutOfRange.selector, voter, VOTERS);
            _assertReverts(
                electorate.accounts[voter],
                address(box),
                abi.encodeCall(
                    IBallotBox.cast, (uint32(voter), electorate.weights[voter], BALLOT, electorate.prove(voter))
                ),
                failure
            );
            _assertRefuses(_signedCall(_signed(voter, NOW, BALLOT), electorate.prove(voter)), failure);
        }
        // And a batch of the others does not fit into a tree of that size: a sheet's size follows from `voters`.
        _assertRefusesBatch(_list(8, 9), electorate.proveMany(_list(8, 9)));
        _assertRefusesBatch(_list(8), electorate.prove(8));
    }

    function test_sheet__smaller_than_the_election_says__takes_no_batch() public {
        // The tree of the last sheet holds voters 8 and 9; the election has 11.
        Electorate memory electorate = _electorate();
        ElectionParams memory params = _params();
        params.voters = 11;
        VM.warp(CREATED_AT);
        box = _create(params, electorate.roots(), 1);
        VM.warp(NOW);
        _assertRefusesBatch(_list(8, 9), new bytes32[](0));
        _assertRefusesBatch(_list(9), electorate.prove(9));
        _assertRefusesBatch(_list(10), electorate.prove(9));
    }

    /// @dev Whatever the proof, a batch is only in with the right one.
    function testFuzz_multiproof__any_other__is_refused(uint256 subset, uint256 length, uint256 seed) public {
        uint256[] memory voters = _subset(_bound(subset, 1, 15));
        bytes32[] memory right = _electorate().proveMany(voters);
        bytes32[] memory proof = new bytes32[](_bound(length, 0, 6));
        for (uint256 i = 0; i < proof.length; ++i) {
            // Nodes of the tree, in any order, are the best bet.
            uint256 drawn = uint256(keccak256(abi.encode(seed, i)));
            bytes32[] memory nodes = _electorate().sheets[drawn % 2];
            proof[i] = nodes[(drawn >> 8) % nodes.length];
        }
        VM.assume(keccak256(abi.encode(proof)) != keccak256(abi.encode(right)));
        _assertRefusesBatch(voters, proof);
    }

    /// @dev `voter` casts with the right account and weight and this proof.
    function _assertRefusesDirect(uint256 voter, bytes32[] memory proof) private {
        address account = _electorate().accounts[voter];
        uint96 weight = uint96(1 + 7 * voter);
        _assertReverts(
            account,
            address(box),
            abi.encodeCall(IBallotBox.cast, (uint32(voter), weight, BALLOT, proof)),
            abi.encodeWithSelector(IBallotBox.BallotBoxNotInCensus.selector, voter, account, weight)
        );
    }

    /// @dev Well-signed ballots of these voters come with this proof.
    function _assertRefusesBatch(uint256[] memory voters, bytes32[] memory proof) private {
        _assertRefuses(
            _signedCall(_signedBatch(voters), proof),
            abi.encodeWithSelector(IBallotBox.BallotBoxBatchNotInCensus.selector, voters[0] >> SHEET_BITS)
        );
    }

    /// @dev Opens an election of ten voters in which a sheet has another tree, and lets `electorate` prove from it.
    function _openWith(Electorate memory electorate, uint256 sheet, bytes32[] memory nodes) private {
        electorate.sheets[sheet] = nodes;
        VM.warp(CREATED_AT);
        box = _create(_params(), electorate.roots(), uint256(nodes[0]));
        VM.warp(NOW);
    }

    /// @dev The voters of sheet 0 whose bits are set.
    function _subset(uint256 bits) private pure returns (uint256[] memory voters) {
        uint256 count = 0;
        for (uint256 i = 0; i < 4; ++i) {
            count += (bits >> i) & 1;
        }
        voters = new uint256[](count);
        uint256 used = 0;
        for (uint256 i = 0; i < 4; ++i) {
            if ((bits >> i) & 1 == 1) voters[used++] = i;
        }
    }

    function _without(bytes32[] memory list, uint256 place) private pure returns (bytes32[] memory shorter) {
        shorter = new bytes32[](list.length - 1);
        for (uint256 i = 0; i < shorter.length; ++i) {
            shorter[i] = list[i < place ? i : i + 1];
        }
    }

    function _with(bytes32[] memory list, uint256 place, bytes32 element)
        private
        pure
        returns (bytes32[] memory longer)
    {
        longer = new bytes32[](list.length + 1);
        for (uint256 i = 0; i < longer.length; ++i) {
            longer[i] = i == place ? element : list[i < place ? i : i - 1];
        }
    }
}
