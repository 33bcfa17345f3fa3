// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IBallotBox} from "../interfaces/IBallotBox.sol";
import {VM, Vm} from "./Vm.sol";
import {Ballots} from "./support/Ballots.sol";
import {ElectionTest} from "./support/ElectionTest.sol";
import {Electorate, Electorates} from "./support/Electorate.sol";
import {Wallet} from "./support/Wallet.sol";

/// @notice Accounts that are more than a key, and voters who race a relayer.
contract AccountsTest is ElectionTest {
    using Electorates for Electorate;

    function test_delegating_account__signs_and_casts__like_any_other() public {
        VM.setEvmVersion("prague");
        address account = _electorate().accounts[3];
        VM.signAndAttachDelegation(address(new Wallet()), Electorates.key(3));
        // The authorization takes effect with the next call.
        _assertCasts(stranger, address(box), _batchCall(_signed(3, NOW, BALLOT), _list(3)), _record(3, NOW, BALLOT));
        VM.assertEq(account.code.length, 23, "the account delegates");
        bytes memory direct = _directCall(3, BALLOT);
        _assertCasts(account, address(box), direct, _record(3, Ballots.DIRECT + NOW, BALLOT));
        // Its code may cast for it too: the box sees the account.
        _assertExecutes(Wallet(account), direct, _record(3, Ballots.DIRECT + NOW, BALLOT));
    }

    function test_account__with_any_code__signs_like_any_other() public {
        VM.etch(_electorate().accounts[3], hex"5f5ffd");
        _assertCasts(stranger, address(box), _batchCall(_signed(3, NOW, BALLOT), _list(3)), _record(3, NOW, BALLOT));
    }

    function test_contract_wallet__casts__by_its_own_transaction() public {
        (Wallet wallet, Electorate memory electorate) = _openForWallet();
        bytes memory call = abi.encodeCall(IBallotBox.cast, (2, 15, BALLOT, electorate.prove(2)));
        _assertExecutes(wallet, call, _record(2, Ballots.DIRECT + NOW, BALLOT));
        // Whoever signs for it has no vote of the wallet's.
        _assertReverts(
            stranger,
            address(box),
            call,
            abi.encodeWithSelector(IBallotBox.BallotBoxNotInCensus.selector, 2, stranger, 15)
        );
    }

    function test_contract_wallet__signature_by_its_owner__is_refused() public {
        (, Electorate memory electorate) = _openForWallet();
        _assertRefuses(
            _signedCall(_signed(2, NOW, BALLOT), electorate.prove(2)),
            abi.encodeWithSelector(IBallotBox.BallotBoxBatchNotInCensus.selector, 0)
        );
        bytes memory nonsense = bytes.concat(_record(2, NOW, BALLOT), new bytes(64));
        _assertRefuses(
            _signedCall(nonsense, electorate.prove(2)),
            abi.encodeWithSelector(IBallotBox.BallotBoxInvalidSignature.selector, 2)
        );
    }

    function test_batch__voter_casts_directly_first__still_lands() public {
        uint256[] memory voters = _list(4, 5, 7);
        bytes memory batch = _batchCall(_signedBatch(voters), voters);
        _assertCasts(
            _electorate().accounts[5], address(box), _directCall(5, hex"ff"), _record(5, Ballots.DIRECT + NOW, hex"ff")
        );
        _assertCasts(stranger, address(box), batch, _recordsOf(voters));
    }

    function test_batch__newer_or_same_signature_first__still_lands() public {
        uint256[] memory voters = _list(4, 5, 7);
        bytes memory batch = _batchCall(_signedBatch(voters), voters);
        VM.warp(NOW + 1);
        bytes memory newer = _batchCall(_signed(5, NOW + 1, hex"ff"), _list(5));
        _assertCasts(stranger, address(box), newer, _record(5, NOW + 1, hex"ff"));
        bytes memory same = _batchCall(_signed(5, NOW, BALLOT), _list(5));
        _assertCasts(stranger, address(box), same, _record(5, NOW, BALLOT));
        _assertCasts(stranger, address(box), batch, _recordsOf(voters));
        _assertCasts(stranger, address(box), batch, _recordsOf(voters));
    }

    /// @dev A batch never depends on what was cast before: whatever part of it, or all of it, somebody else brings first,
    /// together or one by one, it lands as it is.
    function test_batch__any_part_of_it_first__still_lands() public {
        uint256[] memory voters = _list(4, 5, 7);
        bytes memory whole = _batchCall(_signedBatch(voters), voters);
        uint256 snapshot = VM.snapshotState();
        for (uint256 part = 1; part < 8; ++part) {
            uint256[] memory chosen = new uint256[]((part & 1) + ((part >> 1) & 1) + (part >> 2));
            uint256 count = 0;
            for (uint256 i = 0; i < 3; ++i) {
                if ((part >> i) & 1 == 1) chosen[count++] = voters[i];
            }
            _assertCasts(stranger, address(box), _batchCall(_signedBatch(chosen), chosen), _recordsOf(chosen));
            _assertCasts(organizer, address(box), whole, _recordsOf(voters));
            for (uint256 i = 0; i < chosen.length; ++i) {
                uint256[] memory one = _list(chosen[i]);
                _assertCasts(stranger, address(box), _batchCall(_signedBatch(one), one), _recordsOf(one));
            }
            _assertCasts(organizer, address(box), whole, _recordsOf(voters));
            VM.revertToState(snapshot);
        }
    }

    /// @dev An election in which voter 2 is a contract.
    function _openForWallet() private returns (Wallet wallet, Electorate memory electorate) {
        wallet = new Wallet();
        electorate = Electorates.make(4, 2);
        electorate.accounts[2] = address(wallet);
        box = _createAndOpen(electorate.seal());
    }

    function _assertExecutes(Wallet wallet, bytes memory call, bytes memory record) private {
        bytes32 head = box.head();
        VM.recordLogs();
        wallet.execute(address(box), call);
        Vm.Log[] memory logs = VM.getRecordedLogs();
        VM.assertEq(logs.length, 1, "logs");
        VM.assertEq(logs[0].data, abi.encode(record));
        VM.assertEq(box.head(), Ballots.advance(head, record));
    }

    function _recordsOf(uint256[] memory voters) private pure returns (bytes memory records) {
        for (uint256 i = 0; i < voters.length; ++i) {
            records = bytes.concat(records, _record(voters[i], NOW, BALLOT));
        }
    }
}
