// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IBallotBox} from "../interfaces/IBallotBox.sol";
import {ElectionParams} from "../interfaces/IBallotBoxFactory.sol";
import {VM} from "./Vm.sol";
import {Ballots} from "./support/Ballots.sol";
import {ElectionTest} from "./support/ElectionTest.sol";
import {Electorate, Electorates} from "./support/Electorate.sol";

/// @notice A voter's own transaction.
contract CastTest is ElectionTest {
    using Electorates for Electorate;

    function test_cast__every_voter__emits_the_record_and_moves_the_head() public {
        Electorate memory electorate = _electorate();
        for (uint256 voter = 0; voter < VOTERS; ++voter) {
            VM.warp(NOW + voter);
            bytes memory record = Ballots.pack(voter, Ballots.DIRECT + NOW + voter, 1 + 7 * voter, BALLOT);
            _assertCasts(electorate.accounts[voter], address(box), _directCall(voter, BALLOT), record);
        }
    }

    function test_cast__again_in_the_same_second__is_a_record_too() public {
        address account = _electorate().accounts[3];
        _assertCasts(account, address(box), _directCall(3, BALLOT), _record(3, Ballots.DIRECT + NOW, BALLOT));
        _assertCasts(account, address(box), _directCall(3, BALLOT), _record(3, Ballots.DIRECT + NOW, BALLOT));
        _assertCasts(account, address(box), _directCall(3, hex"ff"), _record(3, Ballots.DIRECT + NOW, hex"ff"));
    }

    function test_cast__ballots_of_no_and_most_bytes__work() public {
        address account = _electorate().accounts[9];
        bytes memory longest = hex"0102030405060708";
        _assertCasts(account, address(box), _directCall(9, ""), _record(9, Ballots.DIRECT + NOW, ""));
        _assertCasts(account, address(box), _directCall(9, longest), _record(9, Ballots.DIRECT + NOW, longest));
    }

    function test_cast__a_byte_too_long__reverts() public {
        bytes memory failure = abi.encodeWithSelector(IBallotBox.BallotBoxBallotTooLong.selector, 9, 9, 8);
        _assertReverts(_electorate().accounts[9], address(box), _directCall(9, hex"010203040506070809"), failure);
    }

    function test_cast__length_that_wraps_uint16__reverts() public {
        ElectionParams memory params = _params();
        params.maxBallotBytes = type(uint16).max;
        VM.warp(CREATED_AT);
        box = _create(params, _electorate().roots(), 1);
        VM.warp(NOW);
        bytes memory longest = new bytes(65_535);
        address account = _electorate().accounts[2];
        _assertCasts(account, address(box), _directCall(2, longest), _record(2, Ballots.DIRECT + NOW, longest));
        _assertReverts(
            account,
            address(box),
            _directCall(2, new bytes(65_536)),
            abi.encodeWithSelector(IBallotBox.BallotBoxBallotTooLong.selector, 2, 65_536, 65_535)
        );
    }

    function test_cast__first_and_last_second__are_in_the_window() public {
        address account = _electorate().accounts[0];
        VM.warp(OPENS_AT);
        _assertCasts(account, address(box), _directCall(0, BALLOT), _record(0, Ballots.DIRECT + OPENS_AT, BALLOT));
        VM.warp(CLOSES_AT - 1);
        _assertCasts(account, address(box), _directCall(0, BALLOT), _record(0, Ballots.DIRECT + CLOSES_AT - 1, BALLOT));
    }

    function test_cast__before_and_after_the_window__reverts() public {
        uint256[5] memory times = [uint256(CREATED_AT), OPENS_AT - 1, CLOSES_AT, CLOSES_AT + 1, 1 << 40];
        for (uint256 i = 0; i < times.length; ++i) {
            VM.warp(times[i]);
            _assertReverts(
                _electorate().accounts[0],
                address(box),
                _directCall(0, BALLOT),
                abi.encodeWithSelector(IBallotBox.BallotBoxNotOpen.selector, times[i], OPENS_AT, CLOSES_AT)
            );
        }
    }

    function test_cast__organizer_as_a_stranger__is_not_in_the_census() public {
        _assertReverts(
            organizer,
            address(box),
            _directCall(0, BALLOT),
            abi.encodeWithSelector(IBallotBox.BallotBoxNotInCensus.selector, 0, organizer, 1)
        );
    }

    function test_cast__voter_through_another_contract__is_not_the_voter() public {
        address account = _electorate().accounts[4];
        VM.prank(stranger, account);
        (bool ok, bytes memory answer) = address(box).call(_directCall(4, BALLOT));
        VM.assertFalse(ok);
        VM.assertEq(answer, abi.encodeWithSelector(IBallotBox.BallotBoxNotInCensus.selector, 4, stranger, 29));
    }

    function test_cast__another_weight__reverts() public {
        Electorate memory electorate = _electorate();
        uint96[4] memory weights = [uint96(0), 28, 30, type(uint96).max];
        for (uint256 i = 0; i < weights.length; ++i) {
            _assertReverts(
                electorate.accounts[4],
                address(box),
                abi.encodeCall(IBallotBox.cast, (4, weights[i], BALLOT, electorate.prove(4))),
                abi.encodeWithSelector(IBallotBox.BallotBoxNotInCensus.selector, 4, electorate.accounts[4], weights[i])
            );
        }
    }

    function test_cast__another_voters_index__reverts() public {
        Electorate memory electorate = _electorate();
        for (uint32 voter = 0; voter < VOTERS; ++voter) {
            if (voter == 4) continue;
            _assertReverts(
                electorate.accounts[4],
                address(box),
                abi.encodeCall(IBallotBox.cast, (voter, 29, BALLOT, electorate.prove(voter))),
                abi.encodeWithSelector(IBallotBox.BallotBoxNotInCensus.selector, voter, electorate.accounts[4], 29)
            );
        }
    }

    function test_cast__voter_out_of_range__reverts() public {
        uint32[4] memory voters = [VOTERS, VOTERS + 1, 12, type(uint32).max];
        for (uint256 i = 0; i < voters.length; ++i) {
            _assertRefuses(
                abi.encodeCall(IBallotBox.cast, (voters[i], 1, BALLOT, new bytes32[](0))),
                abi.encodeWithSelector(IBallotBox.BallotBoxVoterOutOfRange.selector, voters[i], VOTERS)
            );
        }
    }

    function test_cast__heaviest_weight_of_the_only_voter__works_without_a_proof() public {
        Electorate memory electorate = Electorates.make(1, 0);
        electorate.weights[0] = type(uint96).max;
        box = _createAndOpen(electorate.seal());
        bytes memory call = abi.encodeCall(IBallotBox.cast, (0, type(uint96).max, BALLOT, new bytes32[](0)));
        bytes memory record = Ballots.pack(0, Ballots.DIRECT + NOW, type(uint96).max, BALLOT);
        _assertCasts(electorate.accounts[0], address(box), call, record);
    }

    /// @dev One flipped bit anywhere in a proof, or in what it proves, and the cast is refused.
    function testFuzz_cast__one_bit_flipped__reverts(uint256 voter, uint256 element, uint8 bit) public {
        voter = _bound(voter, 0, VOTERS - 1);
        Electorate memory electorate = _electorate();
        bytes32[] memory proof = electorate.prove(voter);
        element = _bound(element, 0, proof.length - 1);
        proof[element] ^= bytes32(1 << uint256(bit));
        uint96 weight = electorate.weights[voter];
        _assertReverts(
            electorate.accounts[voter],
            address(box),
            abi.encodeCall(IBallotBox.cast, (uint32(voter), weight, BALLOT, proof)),
            abi.encodeWithSelector(IBallotBox.BallotBoxNotInCensus.selector, voter, electorate.accounts[voter], weight)
        );
    }

    /// @dev In any electorate any voter's ballot is in, bytes unchanged.
    function testFuzz_cast__any_voter_of_any_electorate__is_in(
        uint256 count,
        uint256 sheetBits,
        uint256 voter,
        uint96 weight,
        bytes memory ballot
    ) public {
        count = _bound(count, 1, 40);
        voter = _bound(voter, 0, count - 1);
        Electorate memory electorate = Electorates.make(count, _bound(sheetBits, 0, 7));
        electorate.weights[voter] = weight;
        bytes32[] memory roots = electorate.seal().roots();
        ElectionParams memory params = ElectionParams(
            OPENS_AT,
            CLOSES_AT,
            uint8(electorate.sheetBits),
            uint32(count),
            uint16(ballot.length == 0 ? 1 : ballot.length),
            weight % 2 == 0
        );
        VM.warp(CREATED_AT);
        box = _create(params, roots, 1);
        VM.warp(NOW);
        bytes memory call = abi.encodeCall(IBallotBox.cast, (uint32(voter), weight, ballot, electorate.prove(voter)));
        bytes memory record = Ballots.pack(voter, Ballots.DIRECT + NOW, weight, ballot);
        _assertCasts(electorate.accounts[voter], address(box), call, record);
    }
}
