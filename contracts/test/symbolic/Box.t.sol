// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {BallotBoxFactory} from "../../BallotBoxFactory.sol";
import {IBallotBox} from "../../interfaces/IBallotBox.sol";
import {ElectionParams} from "../../interfaces/IBallotBoxFactory.sol";
import {VM} from "../Vm.sol";

/// @title Proofs of a box's window and of its chain of hashes, for halmos
/// @notice Each `check_` function holds for all arguments, on a real clone of the factory's. Its two voters are the only
/// ones of their sheets, so that no proof is needed.
contract BoxSymbolic {
    uint40 private constant OPENS_AT = 2_000_000_000;
    uint40 private constant CLOSES_AT = 2_000_100_000;
    bytes32 private constant CANCELLED_HEAD = keccak256("QBallot: cancelled");
    uint256 private constant KEY = 0xa11ce;

    IBallotBox private _box;

    function setUp() external {
        VM.warp(1_900_000_000);
        bytes32[] memory roots = new bytes32[](2);
        roots[0] = keccak256(bytes.concat(keccak256(abi.encode(0, address(this), 5))));
        roots[1] = keccak256(bytes.concat(keccak256(abi.encode(1, VM.addr(KEY), 7))));
        ElectionParams memory params = ElectionParams(OPENS_AT, CLOSES_AT, 0, 2, 64, false);
        _box = IBallotBox(new BallotBoxFactory().create(params, roots, 0, "definition"));
    }

    /// @notice A direct cast is in exactly while the window is open.
    function check_window__direct_cast_at_any_time__is_in_exactly_while_open(uint256 time) external {
        VM.warp(time);
        (bool ok,) = address(_box).call(abi.encodeCall(IBallotBox.cast, (0, 5, hex"01", new bytes32[](0))));
        assert(ok == (OPENS_AT <= time && time < CLOSES_AT));
    }

    /// @notice A signed ballot is in exactly while the window is open and if it is dated from the opening to now, so
    /// never with bit 39.
    function check_window__signed_ballot_of_any_date__is_in_exactly_while_open(uint256 time, uint40 castAt) external {
        VM.warp(time);
        (uint8 v, bytes32 r, bytes32 s) = VM.sign(KEY, _box.hashBallot(1, castAt, hex"01"));
        // To halmos an address of a key may be zero, and the s of a signature the higher one: both are refused.
        VM.assume(VM.addr(KEY) != address(0));
        VM.assume(uint256(s) <= 0x7fffffffffffffffffffffffffffffff5d576e7357a4501ddfe92f46681b20a0);
        bytes32 vs = bytes32((uint256(v - 27) << 255) | uint256(s));
        bytes memory batch = abi.encodePacked(uint32(1), castAt, uint96(7), uint16(1), hex"000001", r, vs);
        (bool ok,) = address(_box).call(abi.encodeCall(IBallotBox.castSigned, (batch, new bytes32[](0))));
        assert(ok == (OPENS_AT <= castAt && castAt <= time && time < CLOSES_AT));
    }

    /// @notice Only the organizer cancels, and only before the opening.
    function check_window__cancel_at_any_time_by_anyone__works_for_the_organizer_before(uint256 time, address caller)
        external
    {
        VM.warp(time);
        VM.prank(caller);
        (bool ok,) = address(_box).call(abi.encodeCall(IBallotBox.cancel, ()));
        assert(ok == (caller == address(this) && time < OPENS_AT));
    }

    /// @notice From any head a cast leads to the hash of that head and of the record's hash.
    function check_chain__direct_cast_on_any_head__makes_one_step(bytes32 head, bytes calldata ballot) external {
        VM.assume(head != 0 && head != CANCELLED_HEAD);
        VM.assume(ballot.length <= 64);
        VM.store(address(_box), 0, head);
        VM.warp(OPENS_AT);
        _box.cast(0, 5, ballot, new bytes32[](0));
        bytes memory record =
            abi.encodePacked(uint32(0), OPENS_AT | uint40(1 << 39), uint96(5), uint16(ballot.length), ballot);
        assert(_box.head() == keccak256(abi.encode(head, keccak256(record))));
    }

    /// @notice A box without a head, and a cancelled one, take nothing and cannot be cancelled, at any time.
    function check_chain__no_head_or_cancelled__is_never_left(uint256 time, bool cancelled) external {
        bytes32 head = cancelled ? CANCELLED_HEAD : bytes32(0);
        VM.store(address(_box), 0, head);
        VM.warp(time);
        (bool ok,) = address(_box).call(abi.encodeCall(IBallotBox.cast, (0, 5, hex"01", new bytes32[](0))));
        assert(!ok);
        (ok,) = address(_box).call(abi.encodeCall(IBallotBox.cancel, ()));
        assert(!ok);
        assert(_box.head() == head);
    }
}
