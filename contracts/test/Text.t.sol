// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IBallotBox} from "../interfaces/IBallotBox.sol";
import {ElectionParams, IBallotBoxFactory} from "../interfaces/IBallotBoxFactory.sol";
import {VM} from "./Vm.sol";
import {Ballots} from "./support/Ballots.sol";
import {ElectionTest} from "./support/ElectionTest.sol";
import {Electorate, Electorates} from "./support/Electorate.sol";

/// @notice Boxes whose ballots are signed as text.
contract TextTest is ElectionTest {
    using Electorates for Electorate;

    bytes private constant TEXT = "park: no";

    IBallotBox private _bytesBox;

    function setUp() public override {
        super.setUp();
        _bytesBox = box;
        ElectionParams memory params = _params();
        params.textBallots = true;
        VM.warp(CREATED_AT);
        box = _create(params, _electorate().roots(), 0);
        VM.warp(NOW);
    }

    function test_text_ballots__of_both_boxes__is_what_they_were_made_with() public view {
        VM.assertTrue(box.textBallots(), "text");
        VM.assertFalse(_bytesBox.textBallots(), "bytes");
        VM.assertEq(uint256(uint8(address(box).code[45 + 69])), 1, "the argument");
        VM.assertEq(uint256(uint8(address(_bytesBox).code[45 + 69])), 0, "the argument");
        VM.assertNotEq(address(box), address(_bytesBox));
    }

    function testFuzz_hash_ballot__of_a_text_box__is_the_digest_of_a_string(
        uint32 voter,
        uint40 castAt,
        bytes calldata ballot
    ) public view {
        uint256 chain = VM.getChainId();
        bytes32 kind = keccak256("Ballot(uint32 voter,uint40 castAt,string ballot)");
        (,,, uint256 domainChain, address place,,) = box.eip712Domain();
        VM.assertEq(domainChain, chain);
        bytes32 domain = keccak256(
            abi.encode(
                keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"),
                keccak256("QBallot"),
                keccak256("1"),
                chain,
                place
            )
        );
        bytes32 message = keccak256(abi.encode(kind, voter, castAt, keccak256(ballot)));
        VM.assertEq(
            box.hashBallot(voter, castAt, ballot), keccak256(abi.encodePacked(hex"1901", domain, message)), "digest"
        );
        VM.assertNotEq(
            box.hashBallot(voter, castAt, ballot), Ballots.digest(chain, address(box), voter, castAt, ballot)
        );
    }

    function test_text_signature__in_a_text_box__is_in() public {
        bytes memory signed = bytes.concat(_signedAs(true, 4, TEXT), _signedAs(true, 6, ""));
        bytes memory records = bytes.concat(_record(4, NOW, TEXT), _record(6, NOW, ""));
        _assertCasts(stranger, address(box), _batchCall(signed, _list(4, 6)), records);
    }

    function test_byte_signature__in_a_text_box__is_refused() public {
        _assertRefusesBatch(_signedAs(false, 4, TEXT), _list(4));
        _assertRefusesBatch(bytes.concat(_signedAs(true, 4, TEXT), _signedAs(false, 6, TEXT)), _list(4, 6));
    }

    function test_text_signature__in_a_byte_box__is_refused() public {
        box = _bytesBox;
        _assertRefusesBatch(_signedAs(true, 4, TEXT), _list(4));
        bytes memory record = _record(4, NOW, TEXT);
        _assertCasts(stranger, address(box), _batchCall(_signedAs(false, 4, TEXT), _list(4)), record);
    }

    /// @dev The box looks at no ballot's content, and not at a direct cast's form.
    function test_text_box__ballots_that_are_no_text__are_in() public {
        bytes memory ballot = hex"00ff80fe";
        _assertCasts(stranger, address(box), _batchCall(_signedAs(true, 4, ballot), _list(4)), _record(4, NOW, ballot));
        address account = _electorate().accounts[4];
        _assertCasts(account, address(box), _directCall(4, ballot), _record(4, Ballots.DIRECT + NOW, ballot));
    }

    /// @dev The rule is one of 0 and 1: a word that is neither makes no box.
    function test_create__text_ballots_neither_true_nor_false__reverts() public {
        VM.warp(CREATED_AT);
        ElectionParams memory params = _params();
        params.textBallots = true;
        bytes memory call = abi.encodeCall(
            IBallotBoxFactory.create, (params, _electorate().roots(), bytes32("another salt"), DEFINITION)
        );
        uint256 place = 4 + 32 * 5;
        VM.assertEq(Ballots.integer(call, place, 32), 1, "the word of textBallots");
        uint256[5] memory words = [uint256(2), 3, 256, 1 << 255, type(uint256).max];
        for (uint256 i = 0; i < words.length; ++i) {
            bytes memory changed = bytes.concat(
                Ballots.slice(call, 0, place),
                abi.encode(words[i]),
                Ballots.slice(call, place + 32, call.length - place - 32)
            );
            _assertReverts(organizer, address(factory), changed, "");
        }
        VM.prank(organizer);
        (bool ok,) = address(factory).call(call);
        VM.assertTrue(ok, "the call as it was");
    }

    function test_predict__with_and_without_text__are_two_addresses() public view {
        ElectionParams memory params = _params();
        bytes32[] memory roots = _electorate().roots();
        VM.assertEq(factory.predict(organizer, 0, params, roots, keccak256(DEFINITION)), address(_bytesBox));
        params.textBallots = true;
        VM.assertEq(factory.predict(organizer, 0, params, roots, keccak256(DEFINITION)), address(box));
    }

    function _signedAs(bool text, uint256 voter, bytes memory ballot) private view returns (bytes memory) {
        bytes32 digest = Ballots.digest(text, VM.getChainId(), address(box), voter, NOW, ballot);
        return bytes.concat(_record(voter, NOW, ballot), Ballots.sign(Electorates.key(voter), digest));
    }

    function _assertRefusesBatch(bytes memory signed, uint256[] memory voters) private {
        _assertRefuses(
            _batchCall(signed, voters), abi.encodeWithSelector(IBallotBox.BallotBoxBatchNotInCensus.selector, 1)
        );
    }
}
