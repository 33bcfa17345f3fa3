// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IBallotBox} from "../interfaces/IBallotBox.sol";
import {ElectionParams, IBallotBoxFactory} from "../interfaces/IBallotBoxFactory.sol";
import {VM, Vm} from "./Vm.sol";
import {ElectionTest} from "./support/ElectionTest.sol";
import {Electorate, Electorates} from "./support/Electorate.sol";

/// @notice What the factory makes, and what it refuses.
contract FactoryTest is ElectionTest {
    using Electorates for Electorate;

    function setUp() public override {
        super.setUp();
        VM.warp(CREATED_AT);
    }

    function test_create__new_election__emits_everything_needed_to_index_it() public {
        bytes32[] memory roots = _electorate().roots();
        VM.recordLogs();
        IBallotBox created = _create(_params(), roots, 7);
        Vm.Log[] memory logs = VM.getRecordedLogs();
        VM.assertEq(logs.length, 1, "logs");
        VM.assertEq(logs[0].emitter, address(factory));
        VM.assertEq(logs[0].topics.length, 4, "topics");
        VM.assertEq(logs[0].topics[0], IBallotBoxFactory.BallotBoxCreated.selector);
        VM.assertEq(logs[0].topics[1], bytes32(uint256(uint160(address(created)))));
        VM.assertEq(logs[0].topics[2], bytes32(uint256(uint160(organizer))));
        VM.assertEq(logs[0].topics[3], keccak256(DEFINITION));
        VM.assertEq(logs[0].data, abi.encode(_params(), bytes32(uint256(7)), DEFINITION));
    }

    function test_create__new_election__is_a_clone_whose_code_ends_in_its_rules() public {
        bytes32[] memory roots = _electorate().roots();
        bytes memory code = address(_create(_params(), roots, 7)).code;
        VM.assertEq(code, _cloneCode(factory.implementation(), _params(), roots));
    }

    function test_create__new_election__stands_where_create2_says() public {
        bytes32[] memory roots = _electorate().roots();
        address computed = _computeAddress(organizer, bytes32(uint256(7)), _params(), roots);
        VM.assertEq(factory.predict(organizer, bytes32(uint256(7)), _params(), roots, keccak256(DEFINITION)), computed);
        VM.assertEq(address(_create(_params(), roots, 7)), computed);
    }

    function test_create__other_salt_or_organizer__stands_elsewhere() public view {
        bytes32[] memory roots = _electorate().roots();
        address first = factory.predict(organizer, 0, _params(), roots, keccak256(DEFINITION));
        VM.assertEq(first, address(box));
        VM.assertNotEq(first, factory.predict(organizer, bytes32(uint256(1)), _params(), roots, keccak256(DEFINITION)));
        VM.assertNotEq(first, factory.predict(stranger, 0, _params(), roots, keccak256(DEFINITION)));
        VM.assertNotEq(first, factory.predict(organizer, 0, _params(), roots, keccak256("another definition")));
    }

    function test_implementation__of_factory__is_its_first_contract() public view {
        // A contract's first creation has nonce 1: keccak256(rlp([address, 1])).
        bytes32 hash = keccak256(abi.encodePacked(hex"d694", address(factory), hex"01"));
        VM.assertEq(factory.implementation(), address(uint160(uint256(hash))));
    }

    function test_create__longest_definition_and_smallest_election__works() public {
        bytes memory definition = new bytes(65_536);
        bytes32[] memory roots = new bytes32[](1);
        roots[0] = bytes32(uint256(1));
        address created =
            factory.create(ElectionParams(CREATED_AT + 1, CREATED_AT + 2, 0, 1, 1, true), roots, 0, definition);
        VM.assertEq(IBallotBox(created).head(), keccak256(definition));
        VM.assertEq(IBallotBox(created).organizer(), address(this));
    }

    function test_create__window_edges__are_exact() public {
        ElectionParams memory params = _params();
        params.opensAt = CREATED_AT;
        _assertRefusesWindow(params);
        params.opensAt = CREATED_AT - 1;
        _assertRefusesWindow(params);
        params.opensAt = CLOSES_AT;
        _assertRefusesWindow(params);
        params.opensAt = CLOSES_AT + 1;
        _assertRefusesWindow(params);
        params.opensAt = CREATED_AT + 1;
        params.closesAt = uint40(1 << 39);
        _assertRefusesWindow(params);
        params.closesAt = type(uint40).max;
        _assertRefusesWindow(params);
        params.closesAt = uint40((1 << 39) - 1);
        IBallotBox created = _create(params, _electorate().roots(), 1);
        VM.assertEq(created.closesAt(), (1 << 39) - 1);
        params.closesAt = CREATED_AT + 2;
        created = _create(params, _electorate().roots(), 1);
        VM.assertEq(created.closesAt() - created.opensAt(), 1);
    }

    function test_create__sheet_bits__are_at_most_16() public {
        ElectionParams memory params = _params();
        params.sheetBits = 17;
        _assertRefusesCreation(
            params,
            new bytes32[](1),
            abi.encodeWithSelector(IBallotBoxFactory.BallotBoxFactoryInvalidSheetBits.selector, 17, 16)
        );
        params.sheetBits = 255;
        _assertRefusesCreation(
            params,
            new bytes32[](1),
            abi.encodeWithSelector(IBallotBoxFactory.BallotBoxFactoryInvalidSheetBits.selector, 255, 16)
        );
        params.sheetBits = 16;
        params.voters = 65_537;
        IBallotBox created = _create(params, _filledRoots(2), 1);
        VM.assertEq(created.sheetCount(), 2);
        VM.assertEq(created.sheetRoot(1), bytes32(uint256(2)));
    }

    function test_create__no_voters__reverts() public {
        ElectionParams memory params = _params();
        params.voters = 0;
        bytes memory failure = abi.encodeWithSelector(IBallotBoxFactory.BallotBoxFactoryNoVoters.selector);
        _assertRefusesCreation(params, new bytes32[](0), failure);
        _assertRefusesCreation(params, _filledRoots(1), failure);
    }

    function test_create__no_ballot_bytes__reverts() public {
        ElectionParams memory params = _params();
        params.maxBallotBytes = 0;
        _assertRefusesCreation(
            params,
            _electorate().roots(),
            abi.encodeWithSelector(IBallotBoxFactory.BallotBoxFactoryNoBallotBytes.selector)
        );
    }

    function test_create__no_definition__reverts() public {
        bytes memory call = abi.encodeCall(IBallotBoxFactory.create, (_params(), _electorate().roots(), 0, ""));
        _assertReverts(
            organizer,
            address(factory),
            call,
            abi.encodeWithSelector(IBallotBoxFactory.BallotBoxFactoryNoDefinition.selector)
        );
    }

    /// @dev The one definition whose hash is the head of a cancelled election.
    function test_create__definition_of_a_cancelled_head__reverts() public {
        bytes memory failure = abi.encodeWithSelector(IBallotBoxFactory.BallotBoxFactoryReservedDefinition.selector);
        bytes32[] memory roots = _electorate().roots();
        _assertReverts(
            organizer,
            address(factory),
            abi.encodeCall(IBallotBoxFactory.create, (_params(), roots, 0, "QBallot: cancelled")),
            failure
        );
        bytes[3] memory others = [bytes("QBallot: cancelled."), "QBallot: cancelle", "qballot: cancelled"];
        for (uint256 i = 0; i < others.length; ++i) {
            VM.prank(organizer);
            IBallotBox created = IBallotBox(factory.create(_params(), roots, 0, others[i]));
            VM.assertEq(created.head(), keccak256(others[i]));
        }
    }

    function test_create__one_root_too_few_or_many__reverts() public {
        for (uint256 found = 0; found < 6; ++found) {
            if (found == 3) continue;
            _assertRefusesCreation(
                _params(),
                _filledRoots(found),
                abi.encodeWithSelector(IBallotBoxFactory.BallotBoxFactoryWrongSheetCount.selector, found, 3)
            );
        }
    }

    function test_create__a_voter_more_than_fits__needs_a_sheet_more() public {
        ElectionParams memory params = _params();
        for (uint32 voters = 1; voters < 18; ++voters) {
            params.voters = voters;
            uint256 sheets = (voters + 3) / 4;
            VM.assertEq(_create(params, _filledRoots(sheets), 1).sheetCount(), sheets);
        }
        params.voters = type(uint32).max;
        _assertRefusesCreation(
            params,
            _filledRoots(1),
            abi.encodeWithSelector(IBallotBoxFactory.BallotBoxFactoryWrongSheetCount.selector, 1, 1 << 30)
        );
    }

    function test_create__sheets__are_at_most_764() public {
        ElectionParams memory params = _params();
        params.sheetBits = 0;
        params.voters = 765;
        _assertRefusesCreation(
            params,
            _filledRoots(765),
            abi.encodeWithSelector(IBallotBoxFactory.BallotBoxFactoryTooManySheets.selector, 765, 764)
        );
        params.voters = 764;
        IBallotBox created = _create(params, _filledRoots(764), 1);
        VM.assertEq(created.sheetRoot(763), bytes32(uint256(764)));
        VM.assertEq(address(created).code.length, 24_563, "as near to EIP-170's 24,576 as roots go");
    }

    function test_create__zero_root__reverts_wherever_it_stands() public {
        for (uint256 sheet = 0; sheet < 3; ++sheet) {
            bytes32[] memory roots = _filledRoots(3);
            roots[sheet] = 0;
            _assertRefusesCreation(
                _params(),
                roots,
                abi.encodeWithSelector(IBallotBoxFactory.BallotBoxFactoryZeroSheetRoot.selector, sheet)
            );
        }
    }

    function test_create__same_election_twice__reverts_and_names_the_first() public {
        _assertRefusesCreation(
            _params(),
            _electorate().roots(),
            abi.encodeWithSelector(IBallotBoxFactory.BallotBoxFactoryAlreadyCreated.selector, box)
        );
        VM.assertEq(box.head(), keccak256(DEFINITION));
    }

    function test_create__ether_at_the_address_already__works() public {
        address target =
            factory.predict(organizer, bytes32(uint256(3)), _params(), _filledRoots(3), keccak256(DEFINITION));
        VM.deal(target, 1 ether);
        VM.assertEq(address(_create(_params(), _filledRoots(3), 3)), target);
    }

    function test_create__with_ether__reverts() public {
        VM.deal(address(this), 1 ether);
        (bool ok,) = address(factory).call{value: 1}(
            abi.encodeCall(IBallotBoxFactory.create, (_params(), _filledRoots(3), 0, DEFINITION))
        );
        VM.assertFalse(ok);
    }

    /// @dev Every election that keeps the limits is created and says what it was given; every other is refused.
    function testFuzz_create__any_parameters__are_kept_or_refused(
        ElectionParams memory params,
        uint256 rootCount,
        bytes32 salt
    ) public {
        // Three in four windows lie near the edges of what is valid, and three in four have as many roots as sheets.
        if (uint8(salt[0]) % 4 != 0) {
            params.opensAt = uint40(_bound(params.opensAt, CREATED_AT, CREATED_AT + 9));
            params.closesAt = uint40(_bound(params.closesAt, params.opensAt, params.opensAt + 9));
        }
        params.sheetBits = uint8(_bound(params.sheetBits, 0, 17));
        params.voters = uint32(_bound(params.voters, 0, 6 << params.sheetBits));
        rootCount = _bound(rootCount, 0, 7);
        if (uint8(salt[1]) % 4 != 0) rootCount = (params.voters + (1 << params.sheetBits) - 1) >> params.sheetBits;
        bool valid = CREATED_AT < params.opensAt && params.opensAt < params.closesAt && params.closesAt < 1 << 39
            && params.sheetBits <= 16 && params.voters > 0 && params.maxBallotBytes > 0
            && rootCount == (uint256(params.voters) + (1 << params.sheetBits) - 1) >> params.sheetBits;
        bytes32[] memory roots = _filledRoots(rootCount);
        VM.prank(stranger);
        (bool ok, bytes memory answer) =
            address(factory).call(abi.encodeCall(IBallotBoxFactory.create, (params, roots, salt, DEFINITION)));
        VM.assertEq(ok, valid, "created");
        if (!valid) return;
        IBallotBox created = IBallotBox(abi.decode(answer, (address)));
        VM.assertEq(address(created), _computeAddress(stranger, salt, params, roots));
        VM.assertEq(address(created).code, _cloneCode(factory.implementation(), params, roots, stranger));
        VM.assertEq(created.head(), keccak256(DEFINITION));
    }

    function _assertRefusesWindow(ElectionParams memory params) private {
        _assertRefusesCreation(
            params,
            _electorate().roots(),
            abi.encodeWithSelector(
                IBallotBoxFactory.BallotBoxFactoryInvalidWindow.selector, CREATED_AT, params.opensAt, params.closesAt
            )
        );
    }

    function _assertRefusesCreation(ElectionParams memory params, bytes32[] memory roots, bytes memory failure)
        private
    {
        bytes memory call = abi.encodeCall(IBallotBoxFactory.create, (params, roots, 0, DEFINITION));
        _assertReverts(organizer, address(factory), call, failure);
    }

    /// @dev Roots 1, 2, …
    function _filledRoots(uint256 count) private pure returns (bytes32[] memory roots) {
        roots = new bytes32[](count);
        for (uint256 sheet = 0; sheet < count; ++sheet) {
            roots[sheet] = bytes32(sheet + 1);
        }
    }

    function _cloneCode(address implementation, ElectionParams memory params, bytes32[] memory roots)
        private
        view
        returns (bytes memory)
    {
        return _cloneCode(implementation, params, roots, organizer);
    }

    /// @dev A minimal proxy followed by the packed arguments.
    function _cloneCode(address implementation, ElectionParams memory params, bytes32[] memory roots, address creator)
        private
        pure
        returns (bytes memory)
    {
        bytes memory rules = abi.encodePacked(
            params.opensAt,
            params.closesAt,
            params.sheetBits,
            params.voters,
            params.maxBallotBytes,
            uint8(params.textBallots ? 1 : 0),
            roots
        );
        return abi.encodePacked(
            hex"363d3d373d3d3d363d73",
            implementation,
            hex"5af43d82803e903d91602b57fd5bf3",
            keccak256(DEFINITION),
            creator,
            rules
        );
    }

    /// @dev CREATE2 by the factory, the organizer hashed into the salt, of init code that returns the clone's code.
    function _computeAddress(address creator, bytes32 salt, ElectionParams memory params, bytes32[] memory roots)
        private
        view
        returns (address)
    {
        bytes memory code = _cloneCode(factory.implementation(), params, roots, creator);
        bytes memory initCode = abi.encodePacked(hex"61", uint16(code.length), hex"3d81600a3d39f3", code);
        bytes32 hash =
            keccak256(abi.encodePacked(hex"ff", factory, keccak256(abi.encode(creator, salt)), keccak256(initCode)));
        return address(uint160(uint256(hash)));
    }
}
