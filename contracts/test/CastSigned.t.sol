// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IBallotBox} from "../interfaces/IBallotBox.sol";
import {ElectionParams} from "../interfaces/IBallotBoxFactory.sol";
import {VM} from "./Vm.sol";
import {Ballots, PackedBatch} from "./support/Ballots.sol";
import {ElectionTest} from "./support/ElectionTest.sol";
import {Electorate, Electorates} from "./support/Electorate.sol";

/// @notice Batches of signed ballots that anyone brings.
contract CastSignedTest is ElectionTest {
    using Ballots for PackedBatch;
    using Electorates for Electorate;

    function test_cast_signed__every_subset_of_sheets_of_every_size__is_in() public {
        for (uint256 size = 1; size < 8; ++size) {
            // Sheet 0 has eight voters, sheet 1 has `size` of them.
            Electorate memory electorate = Electorates.make(8 + size, 3).seal();
            box = _createAndOpen(electorate);
            uint256 snapshot = VM.snapshotState();
            for (uint256 subset = 1; subset < 1 << size; ++subset) {
                uint256[] memory voters = _subset(8, size, subset);
                bytes memory batch = _signedBatch(voters);
                bytes memory call = _signedCall(batch, electorate.proveMany(voters));
                _assertCasts(stranger, address(box), call, _records(voters));
                VM.revertToState(snapshot);
            }
        }
    }

    /// @dev In any electorate any batch is in, and equals its ballots brought one by one but for its boundary.
    function testFuzz_cast_signed__any_batch__equals_its_ballots_one_by_one(
        uint256 count,
        uint256 sheetBits,
        uint256 sheet,
        uint256 subset,
        bytes32 seed
    ) public {
        count = _bound(count, 1, 70);
        Electorate memory electorate = Electorates.make(count, _bound(sheetBits, 0, 6)).seal();
        sheet = _bound(sheet, 0, electorate.sheets.length - 1);
        uint256 size = (electorate.sheets[sheet].length + 1) / 2;
        subset &= (1 << size) - 1;
        VM.assume(subset != 0);
        uint256[] memory voters = _subset(sheet << electorate.sheetBits, size, subset);
        box = _createAndOpen(electorate);

        bytes memory batch;
        bytes memory records;
        uint256 snapshot = VM.snapshotState();
        for (uint256 i = 0; i < voters.length; ++i) {
            (uint256 castAt, bytes memory ballot) = _draw(seed, voters[i]);
            bytes memory signed = _signed(voters[i], castAt, ballot);
            uint256[] memory alone = _list(voters[i]);
            bytes memory call = _signedCall(signed, electorate.proveMany(alone));
            _assertCasts(stranger, address(box), call, _record(voters[i], castAt, ballot));
            batch = bytes.concat(batch, signed);
            records = bytes.concat(records, _record(voters[i], castAt, ballot));
        }
        VM.revertToState(snapshot);
        bytes memory together = _signedCall(batch, electorate.proveMany(voters));
        _assertCasts(stranger, address(box), together, records);
    }

    function test_cast_signed__one_after_another__chains_the_heads() public {
        for (uint256 voter = 0; voter < VOTERS; ++voter) {
            bytes memory call = _batchCall(_signed(voter, NOW, BALLOT), _list(voter));
            _assertCasts(stranger, address(box), call, _record(voter, NOW, BALLOT));
        }
    }

    function test_cast_signed__ballots_of_different_lengths_and_times__are_kept_as_signed() public {
        bytes memory batch = bytes.concat(
            _signed(4, OPENS_AT, ""), _signed(6, NOW - 1, hex"0102030405060708"), _signed(7, NOW, hex"80")
        );
        bytes memory records = bytes.concat(
            _record(4, OPENS_AT, ""), _record(6, NOW - 1, hex"0102030405060708"), _record(7, NOW, hex"80")
        );
        _assertCasts(stranger, address(box), _batchCall(batch, _list(4, 6, 7)), records);
    }

    function test_cast_signed__all_ballots_empty_or_of_most_bytes__are_in() public {
        bytes[2] memory ballots = [bytes(""), hex"0102030405060708"];
        for (uint256 i = 0; i < ballots.length; ++i) {
            bytes memory batch;
            bytes memory records;
            for (uint256 voter = 4; voter < 8; ++voter) {
                batch = bytes.concat(batch, _signed(voter, NOW, ballots[i]));
                records = bytes.concat(records, _record(voter, NOW, ballots[i]));
            }
            bytes memory call = _signedCall(batch, new bytes32[](0));
            _assertCasts(stranger, address(box), call, records);
        }
    }

    function test_cast_signed__sheet_of_a_thousand__is_in() public {
        Electorate memory electorate = Electorates.make(1024 + 477, 10).seal();
        box = _createAndOpen(electorate);
        uint256[] memory voters = _subset(1024, 256, uint256(keccak256("about half of them")));
        bytes memory batch = _signedBatch(voters);
        bytes memory call = _signedCall(batch, electorate.proveMany(voters));
        _assertCasts(stranger, address(box), call, _records(voters));
        for (uint256 i = 0; i < voters.length; ++i) {
            voters[i] -= 1024 - 300;
        }
        batch = _signedBatch(voters);
        call = _signedCall(batch, electorate.proveMany(voters));
        _assertCasts(stranger, address(box), call, _records(voters));
    }

    function test_cast_signed__brought_by_anyone__is_the_same() public {
        address[4] memory callers = [stranger, organizer, address(factory), _electorate().accounts[5]];
        for (uint256 i = 0; i < callers.length; ++i) {
            _assertCasts(
                callers[i], address(box), _batchCall(_signedBatch(_list(8, 9)), _list(8, 9)), _records(_list(8, 9))
            );
        }
    }

    function test_cast_signed__first_and_last_second__are_in_the_window() public {
        VM.warp(OPENS_AT);
        bytes memory call = _batchCall(_signed(1, OPENS_AT, BALLOT), _list(1));
        _assertCasts(stranger, address(box), call, _record(1, OPENS_AT, BALLOT));
        VM.warp(CLOSES_AT - 1);
        _assertCasts(stranger, address(box), call, _record(1, OPENS_AT, BALLOT));
        call = _batchCall(_signed(1, CLOSES_AT - 1, BALLOT), _list(1));
        _assertCasts(stranger, address(box), call, _record(1, CLOSES_AT - 1, BALLOT));
    }

    function test_cast_signed__before_and_after_the_window__reverts() public {
        bytes memory call = _batchCall(_signed(1, OPENS_AT, BALLOT), _list(1));
        uint256[5] memory times = [uint256(CREATED_AT), OPENS_AT - 1, CLOSES_AT, CLOSES_AT + 1, 1 << 40];
        for (uint256 i = 0; i < times.length; ++i) {
            VM.warp(times[i]);
            _assertRefuses(
                call, abi.encodeWithSelector(IBallotBox.BallotBoxNotOpen.selector, times[i], OPENS_AT, CLOSES_AT)
            );
        }
    }

    function test_cast_signed__dated_outside_the_window__reverts() public {
        uint256[7] memory dates =
            [0, OPENS_AT - 1, NOW + 1, CLOSES_AT, Ballots.DIRECT, Ballots.DIRECT | NOW, uint256(type(uint40).max)];
        for (uint256 i = 0; i < dates.length; ++i) {
            // The bad date stands in the middle of a batch whose other ballots are right.
            bytes memory batch =
                bytes.concat(_signed(0, NOW, BALLOT), _signed(1, dates[i], BALLOT), _signed(2, NOW, BALLOT));
            _assertRefuses(
                _batchCall(batch, _list(0, 1, 2)),
                // The earliest date is the whole batch's: its first voter is named.
                abi.encodeWithSelector(
                    IBallotBox.BallotBoxCastAtOutsideWindow.selector, dates[i] < NOW ? 0 : 1, dates[i], OPENS_AT, NOW
                )
            );
        }
    }

    function test_cast_signed__a_byte_too_long__reverts() public {
        bytes memory batch = bytes.concat(_signed(4, NOW, BALLOT), _signed(5, NOW, hex"010203040506070809"));
        _assertRefuses(
            _batchCall(batch, _list(4, 5)), abi.encodeWithSelector(IBallotBox.BallotBoxBallotTooLong.selector, 5, 9, 8)
        );
    }

    function test_cast_signed__longest_possible_ballot__is_in() public {
        ElectionParams memory params = _params();
        params.maxBallotBytes = type(uint16).max;
        VM.warp(CREATED_AT);
        box = _create(params, _electorate().roots(), 1);
        VM.warp(NOW);
        bytes memory ballot = new bytes(65_535);
        (ballot[0], ballot[65_534]) = (0x01, 0x02);
        bytes memory batch = bytes.concat(_signed(8, NOW, ballot), _signed(9, NOW, ballot));
        bytes memory records = bytes.concat(_record(8, NOW, ballot), _record(9, NOW, ballot));
        _assertCasts(stranger, address(box), _batchCall(batch, _list(8, 9)), records);
    }

    function test_cast_signed__empty_batch__reverts() public {
        bytes memory failure = abi.encodeWithSelector(IBallotBox.BallotBoxEmptyBatch.selector);
        _assertRefuses(_signedCall("", new bytes32[](0)), failure);
        bytes32[] memory root = new bytes32[](1);
        root[0] = _electorate().roots()[0];
        _assertRefuses(_signedCall("", root), failure);
    }

    function test_cast_signed__voter_out_of_range__reverts() public {
        uint256[3] memory voters = [uint256(VOTERS), 11, type(uint32).max];
        for (uint256 i = 0; i < voters.length; ++i) {
            bytes memory failure =
                abi.encodeWithSelector(IBallotBox.BallotBoxVoterOutOfRange.selector, voters[i], VOTERS);
            _assertRefuses(_signedCall(_signed(voters[i], NOW, BALLOT), new bytes32[](0)), failure);
            bytes memory batch = bytes.concat(_signed(9, NOW, BALLOT), _signed(voters[i], NOW, BALLOT));
            _assertRefuses(_batchCall(batch, _list(9)), failure);
        }
    }

    /// @dev A batch cannot say that a voter comes again or before: only a step that went beyond a field could.
    function test_cast_signed__steps_that_would_wrap_to_a_voter__revert() public {
        uint256[6] memory modulus = [uint256(1) << 30, 1 << 32, 1 << 40, 1 << 64, 1 << 94, 1 << 96];
        for (uint256 i = 0; i < modulus.length; ++i) {
            for (uint256 again = 3; again <= 6; ++again) {
                // From voter 4, voter 5 is the next.
                uint256 skipped = modulus[i] + again - 5;
                if (skipped >= 1 << 96) continue;
                PackedBatch memory batch =
                    _layOut(bytes.concat(_signed(4, NOW, BALLOT), _signed(again < 5 ? 5 : again, NOW, BALLOT)));
                batch.ballots[1].step = Ballots.number(4 * skipped + 1);
                _assertRefuses(
                    _packedCall(batch.join(), _list(4)),
                    abi.encodeWithSelector(IBallotBox.BallotBoxVoterOutOfRange.selector, modulus[i] + again, VOTERS)
                );
            }
        }
    }

    function test_cast_signed__voters_of_two_sheets__revert() public {
        _assertRefuses(
            _batchCall(_signedBatch(_list(3, 4)), _list(3)),
            abi.encodeWithSelector(IBallotBox.BallotBoxVoterOutsideSheet.selector, 4, 0)
        );
        _assertRefuses(
            _batchCall(_signedBatch(_list(4, 7, 8)), _list(4, 7)),
            abi.encodeWithSelector(IBallotBox.BallotBoxVoterOutsideSheet.selector, 8, 1)
        );
    }

    function test_cast_signed__another_weight__reverts() public {
        bytes32 digest = Ballots.digest(VM.getChainId(), address(box), 4, NOW, BALLOT);
        bytes memory signature = Ballots.sign(Electorates.key(4), digest);
        uint96[4] memory weights = [uint96(0), 28, 30, type(uint96).max];
        for (uint256 i = 0; i < weights.length; ++i) {
            _assertRefuses(
                _batchCall(bytes.concat(Ballots.pack(4, NOW, weights[i], BALLOT), signature), _list(4)),
                abi.encodeWithSelector(IBallotBox.BallotBoxBatchNotInCensus.selector, 1)
            );
        }
    }

    function test_cast_signed__another_weight_than_the_first_ones__reverts() public {
        uint96[4] memory weights = [uint96(0), 28, 35, type(uint96).max];
        for (uint256 i = 0; i < weights.length; ++i) {
            bytes32 digest = Ballots.digest(VM.getChainId(), address(box), 5, NOW, BALLOT);
            bytes memory second =
                bytes.concat(Ballots.pack(5, NOW, weights[i], BALLOT), Ballots.sign(Electorates.key(5), digest));
            _assertRefuses(
                _batchCall(bytes.concat(_signed(4, NOW, BALLOT), second), _list(4, 5)),
                abi.encodeWithSelector(IBallotBox.BallotBoxBatchNotInCensus.selector, 1)
            );
        }
    }

    function test_cast_signed__heaviest_weight_of_the_only_voter__works_without_a_proof() public {
        Electorate memory electorate = Electorates.make(1, 0);
        electorate.weights[0] = type(uint96).max;
        box = _createAndOpen(electorate.seal());
        bytes memory record = Ballots.pack(0, NOW, type(uint96).max, BALLOT);
        bytes32 digest = Ballots.digest(VM.getChainId(), address(box), 0, NOW, BALLOT);
        bytes memory batch = bytes.concat(record, Ballots.sign(Electorates.key(0), digest));
        _assertCasts(stranger, address(box), _signedCall(batch, new bytes32[](0)), record);
    }

    function _layOut(bytes memory signed) private pure returns (PackedBatch memory) {
        return Ballots.layOut(Ballots.unpackSigned(signed, 64));
    }

    /// @dev A date in the window and a ballot of an allowed length.
    function _draw(bytes32 seed, uint256 voter) private pure returns (uint256 castAt, bytes memory ballot) {
        bytes32 drawn = keccak256(abi.encode(seed, voter));
        castAt = OPENS_AT + uint256(drawn) % (NOW - OPENS_AT + 1);
        ballot = new bytes(uint8(drawn[0]) % (MAX_BALLOT_BYTES + 1));
        for (uint256 i = 0; i < ballot.length; ++i) {
            ballot[i] = drawn[i + 1];
        }
    }

    function _subset(uint256 start, uint256 size, uint256 subset) private pure returns (uint256[] memory voters) {
        voters = new uint256[](size);
        uint256 count = 0;
        for (uint256 i = 0; i < size; ++i) {
            if ((subset >> i) & 1 == 1) voters[count++] = start + i;
        }
        assembly ("memory-safe") {
            mstore(voters, count)
        }
    }

    function _records(uint256[] memory voters) private pure returns (bytes memory records) {
        for (uint256 i = 0; i < voters.length; ++i) {
            records = bytes.concat(records, _record(voters[i], NOW, BALLOT));
        }
    }
}
