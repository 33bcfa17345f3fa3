// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {VM} from "../Vm.sol";
import {Ballots} from "../support/Ballots.sol";
import {ElectionTest} from "../support/ElectionTest.sol";
import {Electorate, Electorates} from "../support/Electorate.sol";

/// @notice What the assembly gains: the same batch in the contract and in Solidity's loops. `forge test -vv` shows the gas.
contract GasTest is ElectionTest {
    using Electorates for Electorate;

    /// Forge shows it.
    // solhint-disable-next-line event-name-capwords
    event log_named_uint(string name, uint256 gas);

    bytes private _call;
    bytes32 private _head;

    function setUp() public override {
        super.setUp();
        Electorate memory electorate = Electorates.make(1024, 10);
        for (uint256 voter = 0; voter < 1024; ++voter) {
            electorate.weights[voter] = 1;
        }
        electorate.seal();
        box = _createAndOpen(electorate);
        uint256[] memory voters = new uint256[](512);
        bytes[] memory signed = new bytes[](512);
        uint256 count = 0;
        for (uint256 voter = 0; voter < 1024; ++voter) {
            uint256 left = 1024 - voter;
            if (uint256(keccak256(abi.encode("half", voter))) % left >= 512 - count) continue;
            voters[count] = voter;
            uint256 castAt = NOW - uint256(keccak256(abi.encode("time", voter))) % 400;
            bytes32 digest = Ballots.digest(VM.getChainId(), address(box), voter, castAt, BALLOT);
            signed[count] =
                bytes.concat(Ballots.pack(voter, castAt, 1, BALLOT), Ballots.sign(Electorates.key(voter), digest));
            ++count;
        }
        VM.assertEq(count, 512);
        _call = _signedCall(Ballots.concat(signed), electorate.proveMany(voters));
        _head = box.head();
    }

    function test_gas__half_a_sheet__is_at_least_8_percent_less_than_in_solidity() public {
        bytes memory call = _call;
        (uint256 assembled, bytes32 head) = _measure("BallotBox", call);
        VM.etch(factory.implementation(), VM.deployCode("TunedBox.sol:TunedBox").code);
        (uint256 tuned, bytes32 tunedHead) = _measure("TunedBox", call);
        VM.etch(factory.implementation(), VM.deployCode("PlainBox.sol:PlainBox").code);
        (uint256 plain, bytes32 plainHead) = _measure("PlainBox", call);
        VM.assertEq(head, tunedHead);
        VM.assertEq(head, plainHead);
        // With what any batch of these bytes pays before it is executed.
        uint256 intrinsic = _intrinsic(call);
        emit log_named_uint("calldata and base fee, a ballot", intrinsic / 512);
        VM.assertLt((assembled + intrinsic) * 100, (tuned + intrinsic) * 92, "the assembly gains less than 8 %");
        VM.assertLt(assembled, plain, "the reference is the dearest");
    }

    function _measure(string memory name, bytes memory call) private returns (uint256 used, bytes32 head) {
        VM.store(address(box), 0, _head);
        uint256 before = gasleft();
        (bool ok,) = address(box).call(call);
        used = before - gasleft();
        VM.assertTrue(ok, name);
        head = box.head();
        emit log_named_uint(name, used / 512);
    }

    function _intrinsic(bytes memory call) private pure returns (uint256 gas) {
        gas = 21_000;
        for (uint256 i = 0; i < call.length; ++i) {
            gas += call[i] == 0 ? 4 : 16;
        }
    }
}
