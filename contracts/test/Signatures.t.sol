// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IBallotBox} from "../interfaces/IBallotBox.sol";
import {VM} from "./Vm.sol";
import {Ballots} from "./support/Ballots.sol";
import {ElectionTest} from "./support/ElectionTest.sol";
import {Electorate, Electorates} from "./support/Electorate.sol";

/// @notice Attacks on signatures: replays, malleable and invented ones.
contract SignaturesTest is ElectionTest {
    using Electorates for Electorate;

    function test_replay__another_chain__is_refused() public {
        bytes memory batch = _signedBatch(_list(0, 3));
        VM.chainId(VM.getChainId() + 1);
        _assertRefusesBatch(batch, _list(0, 3), 0);
    }

    function test_replay__fork_with_a_changed_chain_id__is_refused_and_new_ballots_are_taken() public {
        uint256 home = VM.getChainId();
        bytes memory before = _signed(2, NOW, BALLOT);
        _assertCasts(stranger, address(box), _batchCall(before, _list(2)), _record(2, NOW, BALLOT));
        VM.chainId(10_001);
        _assertRefusesBatch(before, _list(2), 0);
        bytes memory afterwards = _signed(2, NOW, BALLOT);
        _assertCasts(stranger, address(box), _batchCall(afterwards, _list(2)), _record(2, NOW, BALLOT));
        VM.chainId(home);
        _assertRefusesBatch(afterwards, _list(2), 0);
    }

    function test_replay__another_election_of_the_same_voters__is_refused() public {
        bytes memory batch = _signedBatch(_list(8, 9));
        IBallotBox first = box;
        box = _createAndOpen(_electorate());
        _assertRefusesBatch(batch, _list(8, 9), 2);
        box = first;
        _assertCasts(
            stranger,
            address(box),
            _batchCall(batch, _list(8, 9)),
            bytes.concat(_record(8, NOW, BALLOT), _record(9, NOW, BALLOT))
        );
    }

    function test_replay__same_election__repeats_the_record_to_the_bit() public {
        bytes memory call = _batchCall(_signed(2, NOW, BALLOT), _list(2));
        _assertCasts(stranger, address(box), call, _record(2, NOW, BALLOT));
        VM.warp(NOW + 100);
        _assertCasts(stranger, address(box), call, _record(2, NOW, BALLOT));
    }

    function test_signature__of_another_ballot_date_or_voter__is_refused() public {
        bytes memory record = _record(5, NOW, BALLOT);
        uint256 chain = VM.getChainId();
        bytes32[4] memory digests = [
            Ballots.digest(chain, address(box), 5, NOW, hex"00010081"),
            Ballots.digest(chain, address(box), 5, NOW - 1, BALLOT),
            Ballots.digest(chain, address(box), 6, NOW, BALLOT),
            keccak256(record)
        ];
        for (uint256 i = 0; i < digests.length; ++i) {
            _assertRefusesBatch(bytes.concat(record, Ballots.sign(Electorates.key(5), digests[i])), _list(5), 1);
        }
    }

    function test_signature__of_another_voter__is_refused() public {
        bytes32 digest = Ballots.digest(VM.getChainId(), address(box), 5, NOW, BALLOT);
        bytes memory batch = bytes.concat(_record(5, NOW, BALLOT), Ballots.sign(Electorates.key(6), digest));
        _assertRefusesBatch(batch, _list(5), 1);
    }

    function test_signature__two_voters_swapped__is_refused() public {
        uint256 chain = VM.getChainId();
        bytes memory fourth = Ballots.sign(Electorates.key(4), Ballots.digest(chain, address(box), 4, NOW, BALLOT));
        bytes memory fifth = Ballots.sign(Electorates.key(5), Ballots.digest(chain, address(box), 5, NOW, BALLOT));
        bytes memory batch = bytes.concat(_record(4, NOW, BALLOT), fifth, _record(5, NOW, BALLOT), fourth);
        _assertRefusesBatch(batch, _list(4, 5), 1);
    }

    function test_signature__that_recovers_to_no_account__is_invalid() public {
        bytes32 r = keccak256("some r");
        bytes32[2][4] memory signatures = [
            [bytes32(0), bytes32(0)], // ecrecover answers nothing
            [bytes32(0), bytes32(uint256(1))],
            [bytes32(Ballots.CURVE_ORDER), bytes32(uint256(1))],
            [r, bytes32(0)]
        ];
        for (uint256 i = 0; i < signatures.length; ++i) {
            bytes memory signature = abi.encodePacked(signatures[i][0], signatures[i][1]);
            // It is named wherever it stands in the batch.
            _assertRefuses(
                _batchCall(bytes.concat(_signed(0, NOW, BALLOT), _record(2, NOW, BALLOT), signature), _list(0, 2)),
                abi.encodeWithSelector(IBallotBox.BallotBoxInvalidSignature.selector, 2)
            );
        }
    }

    /// @dev ecrecover answers zero for an invalid signature: a census with the zero address must not let it vote.
    function test_signature__invalid_and_zero_address_in_the_census__is_invalid() public {
        Electorate memory electorate = Electorates.make(4, 2);
        electorate.accounts[1] = address(0);
        box = _createAndOpen(electorate.seal());
        bytes memory batch = bytes.concat(_record(1, NOW, BALLOT), new bytes(64));
        _assertRefuses(
            _signedCall(batch, electorate.prove(1)),
            abi.encodeWithSelector(IBallotBox.BallotBoxInvalidSignature.selector, 1)
        );
    }

    /// @dev Of s and n - s only the lower is taken, even if ecrecover finds a census account with the higher one.
    /// A compact signature has room for few high values of s, and nobody can make one for a given key, so here the
    /// census follows the signature: the box's code gets the root that makes its signer the voter.
    function test_signature__high_s_of_a_census_account__is_invalid() public {
        uint256 high = Ballots.CURVE_ORDER / 2 + 1;
        VM.assertLt(high, 1 << 255, "fits beside the parity");
        bytes32 digest = Ballots.digest(VM.getChainId(), address(box), 0, NOW, BALLOT);
        bytes32 r = bytes32(uint256(0x79be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798)); // G's x
        address malleable = ecrecover(digest, 27, r, bytes32(high));
        address proper = ecrecover(digest, 28, r, bytes32(Ballots.CURVE_ORDER - high));
        VM.assertTrue(malleable != address(0), "the signature recovers to an account");
        VM.assertEq(malleable, proper);
        Electorate memory electorate = _electorate();
        bytes32 oldRoot = electorate.roots()[0];
        electorate.accounts[0] = malleable;
        _replaceRoot(oldRoot, electorate.seal().roots()[0]);

        bytes memory record = _record(0, NOW, BALLOT);
        _assertRefuses(
            _signedCall(abi.encodePacked(record, r, bytes32(high)), electorate.prove(0)),
            abi.encodeWithSelector(IBallotBox.BallotBoxInvalidSignature.selector, 0)
        );
        bytes32 vs = bytes32((Ballots.CURVE_ORDER - high) | (1 << 255));
        bytes memory twin = _signedCall(abi.encodePacked(record, r, vs), electorate.prove(0));
        _assertCasts(stranger, address(box), twin, record);
    }

    /// @dev The usual malleable twin, n - s with the other parity, has no compact form: its top bit is the parity's.
    function test_signature__twin_of_a_good_one__is_refused() public {
        bytes memory batch = _signed(7, NOW, BALLOT);
        uint256 end = batch.length;
        uint256 vs;
        assembly ("memory-safe") {
            vs := mload(add(batch, end))
        }
        uint256 twin = Ballots.CURVE_ORDER - (vs & (type(uint256).max >> 1));
        assembly ("memory-safe") {
            mstore(add(batch, end), twin)
        }
        bytes32 head = box.head();
        VM.prank(stranger);
        (bool ok,) = address(box).call(_batchCall(batch, _list(7)));
        VM.assertFalse(ok);
        VM.assertEq(box.head(), head);
    }

    /// @dev Whatever bit of a batch is flipped, it is refused: no part of it goes unchecked.
    function test_batch__any_single_bit_flipped__is_refused() public {
        bytes memory signed =
            bytes.concat(_signed(4, NOW, BALLOT), _signed(6, NOW - 1, hex"0102"), _signed(7, NOW, BALLOT));
        bytes memory batch = Ballots.packBatch(signed);
        bytes32[] memory proof = _electorate().proveMany(_list(4, 6, 7));
        bytes32 head = box.head();
        for (uint256 bit = 0; bit < batch.length * 8; ++bit) {
            batch[bit / 8] ^= bytes1(uint8(1 << (bit % 8)));
            (bool ok, bytes memory answer) = address(box).call(abi.encodeCall(IBallotBox.castSigned, (batch, proof)));
            VM.assertFalse(ok);
            VM.assertTrue(answer.length >= 4 && bytes4(answer) != 0x4e487b71, "a named error and no panic");
            batch[bit / 8] ^= bytes1(uint8(1 << (bit % 8)));
        }
        VM.assertEq(box.head(), head);
        _assertCasts(
            stranger,
            address(box),
            _packedCall(batch, _list(4, 6, 7)),
            bytes.concat(_record(4, NOW, BALLOT), _record(6, NOW - 1, hex"0102"), _record(7, NOW, BALLOT))
        );
    }

    /// @dev A starved precompile answers nothing: whoever brings a batch with too little gas gets no other signer in.
    function test_signature__ecrecover_starved_of_gas__takes_nobody_else() public {
        bytes memory call = _batchCall(_signedBatch(_list(4, 6)), _list(4, 6));
        bytes32 head = box.head();
        uint256 refused = 0;
        uint256 snapshot = VM.snapshotState();
        for (uint256 gasLimit = 5000; gasLimit < 60_000; gasLimit += 97) {
            (bool ok, bytes memory answer) = address(box).call{gas: gasLimit}(call);
            if (ok) {
                VM.assertEq(
                    box.head(),
                    Ballots.advance(head, bytes.concat(_record(4, NOW, BALLOT), _record(6, NOW, BALLOT))),
                    "head"
                );
                VM.revertToState(snapshot);
                continue;
            }
            VM.assertEq(box.head(), head);
            if (answer.length == 0) continue;
            ++refused;
            VM.assertEq(bytes32(bytes4(answer)), bytes32(IBallotBox.BallotBoxInvalidSignature.selector), "refusal");
        }
        // The precompile runs out of gas with 1/64 of it left, which is mostly too little to say anything.
        VM.assertLt(refused, 100, "refusals");
    }

    function _assertRefusesBatch(bytes memory batch, uint256[] memory voters, uint256 sheet) private {
        _assertRefuses(
            _batchCall(batch, voters), abi.encodeWithSelector(IBallotBox.BallotBoxBatchNotInCensus.selector, sheet)
        );
    }

    /// @dev Puts another root into the box's code, which no contract can do.
    function _replaceRoot(bytes32 oldRoot, bytes32 newRoot) private {
        bytes memory code = address(box).code;
        // 45 bytes of proxy and 70 of other arguments stand before the root of sheet 0.
        for (uint256 i = 0; i < 32; ++i) {
            VM.assertTrue(code[115 + i] == oldRoot[i], "the root's place");
            code[115 + i] = newRoot[i];
        }
        VM.etch(address(box), code);
    }
}
