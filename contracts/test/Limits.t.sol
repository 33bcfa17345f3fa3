// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IBallotBox} from "../interfaces/IBallotBox.sol";
import {ElectionParams, IBallotBoxFactory} from "../interfaces/IBallotBoxFactory.sol";
import {VM} from "./Vm.sol";
import {Ballots} from "./support/Ballots.sol";
import {ElectionTest} from "./support/ElectionTest.sol";
import {Electorate, Electorates} from "./support/Electorate.sol";

/// @notice What is larger or later than most elections: long proofs, many sheets, other centuries.
contract LimitsTest is ElectionTest {
    using Electorates for Electorate;

    /// @dev Half of a sheet of 1,024, spread so that hardly two are siblings: more elements than a byte counts.
    function test_cast_signed__proof_of_more_than_256_elements__counts_every_one() public {
        Electorate memory electorate = Electorates.make(1024, 10).seal();
        box = _createAndOpen(electorate);
        uint256[] memory voters = new uint256[](512);
        for (uint256 i = 0; i < 512; ++i) {
            voters[i] = 2 * i + uint256(keccak256(abi.encode(i))) % 2;
        }
        bytes memory batch = Ballots.packBatch(_signedBatch(voters));
        bytes32[] memory proof = electorate.proveMany(voters);
        VM.assertEq(proof.length, 512);
        bytes memory failure = abi.encodeWithSelector(IBallotBox.BallotBoxBatchNotInCensus.selector, 0);
        for (uint256 place = 256; place < 512; place += 17) {
            bytes32 kept = proof[place];
            proof[place] = proof[place - 256];
            _assertRefuses(abi.encodeCall(IBallotBox.castSigned, (batch, proof)), failure);
            proof[place] = kept;
        }
        _assertCasts(stranger, address(box), abi.encodeCall(IBallotBox.castSigned, (batch, proof)), _recordsOf(voters));
    }

    function test_create__zero_root_behind_the_256th__reverts() public {
        VM.warp(CREATED_AT);
        ElectionParams memory params = _params();
        (params.sheetBits, params.voters) = (0, 764);
        bytes32[] memory roots = new bytes32[](764);
        for (uint256 i = 0; i < roots.length; ++i) {
            roots[i] = bytes32(i + 1);
        }
        uint256[5] memory places = [uint256(255), 256, 257, 600, 763];
        for (uint256 i = 0; i < places.length; ++i) {
            roots[places[i]] = 0;
            _assertReverts(
                organizer,
                address(factory),
                abi.encodeCall(IBallotBoxFactory.create, (params, roots, 0, DEFINITION)),
                abi.encodeWithSelector(IBallotBoxFactory.BallotBoxFactoryZeroSheetRoot.selector, places[i])
            );
            roots[places[i]] = bytes32(places[i] + 1);
        }
        box = _create(params, roots, 3);
        for (uint256 sheet = 0; sheet < 764; sheet += 7) {
            VM.assertEq(box.sheetRoot(sheet), roots[sheet]);
        }
    }

    /// @dev Voters of a sheet behind the 256th cast both ways.
    function test_cast__in_a_sheet_behind_the_256th__is_in() public {
        Electorate memory electorate = Electorates.make(300, 0).seal();
        box = _createAndOpen(electorate);
        bytes memory batch = Ballots.packBatch(_signed(299, NOW, BALLOT));
        _assertCasts(
            stranger,
            address(box),
            abi.encodeCall(IBallotBox.castSigned, (batch, new bytes32[](0))),
            _record(299, NOW, BALLOT)
        );
        _assertCasts(
            electorate.accounts[299],
            address(box),
            abi.encodeCall(IBallotBox.cast, (299, 1 + 7 * 299, BALLOT, new bytes32[](0))),
            _record(299, Ballots.DIRECT + NOW, BALLOT)
        );
        _assertReverts(
            stranger,
            address(box),
            abi.encodeCall(IBallotBox.castSigned, (Ballots.packBatch(_signed(43, NOW, BALLOT)), new bytes32[](1))),
            abi.encodeWithSelector(IBallotBox.BallotBoxBatchNotInCensus.selector, 43)
        );
    }

    /// @dev After 2106 times have more than 32 bits: in the window's bounds, in the base, in `later`, in the record.
    function test_cast_signed__after_2106__is_in_and_dated_so() public {
        uint256[5] memory times = [uint256(1 << 32) - 1, 1 << 32, (1 << 32) + 1, (1 << 33) + 1_234_567, (1 << 39) - 2];
        for (uint256 i = 0; i < times.length; ++i) {
            uint256 opensAt = times[i] - 1000;
            _openFrom(opensAt, times[i] + 1);
            VM.warp(times[i]);
            _assertCastsDated(times[i], times[i]);
            _assertCastsDated(opensAt, times[i]);
            _assertCastsDated(times[i] - 1, opensAt);
            _assertRefusesDated(times[i], times[i] + 1, 1, times[i] + 1, opensAt);
            _assertRefusesDated(times[i], opensAt - 1, 0, opensAt - 1, opensAt);
            // What a clock of 32 bits would say.
            if (times[i] >= 1 << 32) {
                uint256 cut = uint32(times[i]);
                if (cut < opensAt) _assertRefusesDated(times[i], cut, 0, cut, opensAt);
            }
            _assertCasts(
                _electorate().accounts[2],
                address(box),
                _directCall(2, BALLOT),
                _record(2, Ballots.DIRECT + times[i], BALLOT)
            );
        }
    }

    /// @dev A window of centuries: times of every width in one batch.
    function test_cast_signed__window_of_centuries__takes_times_of_every_width() public {
        uint256 opensAt = 2_000_000_000;
        _openFrom(opensAt, (1 << 39) - 1);
        for (uint256 bits = 0; bits < 39; ++bits) {
            for (uint256 less = 0; less < 2; ++less) {
                uint256 later = (1 << bits) - less;
                if (opensAt + later >= (1 << 39) - 1) continue;
                VM.warp(opensAt + later);
                _assertCastsDated(opensAt, opensAt + later);
                _assertCastsDated(opensAt + later, opensAt);
                _assertRefusesDated(opensAt, opensAt + later + 1, 1, opensAt + later + 1, opensAt);
            }
        }
    }

    function _openFrom(uint256 opensAt, uint256 closesAt) private {
        ElectionParams memory params = _params();
        (params.opensAt, params.closesAt) = (uint40(opensAt), uint40(closesAt));
        VM.warp(CREATED_AT);
        box = _create(params, _electorate().roots(), 1);
    }

    /// @dev Voters 0 and 1 cast in one batch, so dated.
    function _assertCastsDated(uint256 castAt, uint256 otherAt) private {
        bytes memory signed = bytes.concat(_signed(0, castAt, BALLOT), _signed(1, otherAt, BALLOT));
        bytes memory records = bytes.concat(_record(0, castAt, BALLOT), _record(1, otherAt, BALLOT));
        _assertCasts(stranger, address(box), _batchCall(signed, _list(0, 1)), records);
    }

    function _assertRefusesDated(uint256 castAt, uint256 otherAt, uint256 voter, uint256 named, uint256 opensAt)
        private
    {
        bytes memory signed = bytes.concat(_signed(0, castAt, BALLOT), _signed(1, otherAt, BALLOT));
        _assertRefuses(
            _batchCall(signed, _list(0, 1)),
            abi.encodeWithSelector(
                IBallotBox.BallotBoxCastAtOutsideWindow.selector, voter, named, opensAt, VM.getBlockTimestamp()
            )
        );
    }

    function _recordsOf(uint256[] memory voters) private pure returns (bytes memory) {
        bytes[] memory parts = new bytes[](voters.length);
        for (uint256 i = 0; i < voters.length; ++i) {
            parts[i] = _record(voters[i], NOW, BALLOT);
        }
        return Ballots.concat(parts);
    }
}
