// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IBallotBox} from "../interfaces/IBallotBox.sol";
import {IBallotBoxFactory} from "../interfaces/IBallotBoxFactory.sol";
import {VM} from "./Vm.sol";
import {ElectionTest} from "./support/ElectionTest.sol";
import {Electorate, Electorates} from "./support/Electorate.sol";

/// @notice Attacks on where a box comes from: its address, and nothing else, proves its rules and its start.
contract ProvenanceTest is ElectionTest {
    using Electorates for Electorate;

    function setUp() public override {
        super.setUp();
        VM.warp(CREATED_AT);
    }

    function test_identical_clone__storage_written_before__has_another_address() public {
        bytes32 invented = keccak256("a chain of ballots that nobody cast");
        // PUSH32 invented, PUSH0, SSTORE, then: return the rest of this code.
        bytes memory start = abi.encodePacked(hex"7f", invented, hex"5f55");
        address forged = _deploy(_returning(start, address(box).code), bytes32(0));
        VM.assertEq(forged.codehash, address(box).codehash);
        VM.assertEq(IBallotBox(forged).head(), invented);
        VM.assertEq(IBallotBox(forged).organizer(), organizer);
        VM.assertEq(box.head(), keccak256(DEFINITION));
        VM.assertNotEq(forged, _predicted(organizer, 0));
    }

    function test_identical_clone__same_init_code_and_salt__has_another_address() public {
        bytes memory initCode =
            abi.encodePacked(hex"61", uint16(address(box).code.length), hex"3d81600a3d39f3", address(box).code);
        address forged = _deploy(initCode, keccak256(abi.encode(organizer, bytes32(0))));
        VM.assertEq(forged.codehash, address(box).codehash);
        IBallotBox(forged).initialize();
        VM.assertEq(IBallotBox(forged).head(), box.head());
        VM.assertNotEq(forged, _predicted(organizer, 0));
    }

    function test_create__same_salt_by_another_first__neither_takes_nor_blocks_the_address() public {
        bytes32 salt = "the same";
        address awaited = _predicted(organizer, salt);
        VM.prank(stranger);
        address taken = factory.create(_params(), _electorate().roots(), salt, DEFINITION);
        VM.assertEq(taken, _predicted(stranger, salt));
        VM.assertNotEq(taken, awaited);
        VM.assertEq(IBallotBox(taken).organizer(), stranger);
        VM.assertEq(address(_create(_electorate(), uint256(salt))), awaited);
        VM.assertEq(IBallotBox(awaited).organizer(), organizer);
    }

    function test_create__through_another_contract__makes_that_one_the_organizer() public {
        VM.prank(stranger, organizer);
        address created = factory.create(_params(), _electorate().roots(), 0, DEFINITION);
        VM.assertEq(IBallotBox(created).organizer(), stranger);
        VM.assertEq(created, _predicted(stranger, 0));
        _assertReverts(
            organizer,
            created,
            abi.encodeCall(IBallotBox.cancel, ()),
            abi.encodeWithSelector(IBallotBox.BallotBoxNotOrganizer.selector, organizer, stranger)
        );
    }

    function test_create__again_after_a_cancellation__reverts() public {
        VM.prank(organizer);
        box.cancel();
        bytes memory call = abi.encodeCall(IBallotBoxFactory.create, (_params(), _electorate().roots(), 0, DEFINITION));
        _assertReverts(
            organizer,
            address(factory),
            call,
            abi.encodeWithSelector(IBallotBoxFactory.BallotBoxFactoryAlreadyCreated.selector, box)
        );
        VM.assertEq(box.head(), CANCELLED_HEAD);
    }

    function test_implementation__as_an_accounts_delegate__makes_no_box() public {
        // An account that delegates to the implementation (EIP-7702) runs its code on storage of its own.
        address account = address(uint160(uint256(keccak256("delegating account"))));
        VM.setEvmVersion("prague");
        VM.etch(account, abi.encodePacked(hex"ef0100", factory.implementation()));
        _assertReverts(
            stranger,
            account,
            abi.encodeCall(IBallotBox.initialize, ()),
            abi.encodeWithSelector(IBallotBox.BallotBoxNotAClone.selector, account)
        );
        VM.assertEq(VM.load(account, 0), bytes32(0));
    }

    function _predicted(address creator, bytes32 salt) private view returns (address) {
        return factory.predict(creator, salt, _params(), _electorate().roots(), keccak256(DEFINITION));
    }

    /// @dev Init code that runs `start` and then returns `code`.
    function _returning(bytes memory start, bytes memory code) private pure returns (bytes memory) {
        // PUSH2 size, DUP1, PUSH1 offset, PUSH0, CODECOPY, PUSH0, RETURN
        return
            abi.encodePacked(
                start, hex"61", uint16(code.length), hex"8060", uint8(start.length + 10), hex"5f395ff3", code
            );
    }

    function _deploy(bytes memory initCode, bytes32 salt) private returns (address deployed) {
        assembly ("memory-safe") {
            deployed := create2(0, add(initCode, 32), mload(initCode), salt)
        }
        VM.assertTrue(deployed != address(0), "the forgery does not deploy");
    }
}
