// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IBallotBox} from "../../interfaces/IBallotBox.sol";
import {ElectionParams, IBallotBoxFactory} from "../../interfaces/IBallotBoxFactory.sol";
import {VM} from "../Vm.sol";
import {ElectionTest} from "../support/ElectionTest.sol";
import {Wallet} from "../support/Wallet.sol";
import {VECTOR_VM, Vector, Vectors} from "./VectorFile.sol";

/// @notice Where contracts stand and what boxes say, as the file says.
contract AddressVectorsTest is ElectionTest {
    using Vectors for Vector;

    function test_addresses__by_create2__are_those_of_the_file() public view {
        Vector[] memory list = Vectors.open("addresses.json").list("create2");
        for (uint256 i = 0; i < list.length; ++i) {
            bytes32 hash = keccak256(
                abi.encodePacked(
                    hex"ff", list[i].account("sender"), list[i].word("salt"), keccak256(list[i].data("init_code"))
                )
            );
            VM.assertEq(address(uint160(uint256(hash))), list[i].account("address"));
        }
    }

    function test_addresses__by_create__are_those_of_the_file() public {
        Vector[] memory list = Vectors.open("addresses.json").list("create");
        for (uint256 i = 0; i < list.length; ++i) {
            address sender = list[i].account("sender");
            VECTOR_VM.setNonceUnsafe(sender, uint64(list[i].number("nonce")));
            VM.prank(sender);
            VM.assertEq(address(new Wallet()), list[i].account("address"));
        }
    }

    /// @dev The factory of a vector is our factory's code with the vector's implementation for its own.
    function test_boxes__of_the_file__stand_where_our_factory_puts_them_and_say_what_they_were_given() public {
        Vector[] memory boxes = Vectors.open("addresses.json").list("boxes");
        for (uint256 i = 0; i < boxes.length; ++i) {
            Vector memory arguments = boxes[i].member("arguments");
            address implementation = boxes[i].account("implementation");
            VM.etch(implementation, factory.implementation().code);
            VM.etch(boxes[i].account("factory"), _factoryCode(implementation));
            VM.assertEq(
                IBallotBoxFactory(boxes[i].account("factory"))
                    .predict(
                        arguments.account("organizer"),
                        boxes[i].word("salt"),
                        _paramsOf(arguments),
                        arguments.words("sheet_roots"),
                        arguments.word("definition_hash")
                    ),
                boxes[i].account("box")
            );
            _checkDeployed(boxes[i], arguments);
        }
    }

    function _paramsOf(Vector memory arguments) private pure returns (ElectionParams memory params) {
        params.opensAt = uint40(arguments.number("opens_at"));
        params.closesAt = uint40(arguments.number("closes_at"));
        params.sheetBits = uint8(arguments.number("sheet_bits"));
        params.voters = uint32(arguments.number("voters"));
        params.maxBallotBytes = uint16(arguments.number("max_ballot_bytes"));
        params.textBallots = arguments.flag("text_ballots");
    }

    /// @dev Our factory's code with another implementation.
    function _factoryCode(address implementation) private view returns (bytes memory code) {
        code = address(factory).code;
        bytes20 ours = bytes20(factory.implementation());
        uint256 found = 0;
        for (uint256 i = 0; i + 20 <= code.length; ++i) {
            bytes20 here;
            assembly ("memory-safe") {
                here := mload(add(add(code, 32), i))
            }
            if (here != ours) continue;
            ++found;
            for (uint256 j = 0; j < 20; ++j) {
                code[i + j] = bytes20(implementation)[j];
            }
        }
        VM.assertLt(0, found, "the implementation's address stands in the code");
    }

    /// @dev The init code, created by the vector's factory, gives the vector's code at its address; and that is a box.
    function _checkDeployed(Vector memory expected, Vector memory arguments) private {
        bytes memory initCode = expected.data("init_code");
        bytes32 salt = keccak256(abi.encode(arguments.account("organizer"), expected.word("salt")));
        address created;
        VM.prank(expected.account("factory"));
        assembly ("memory-safe") {
            created := create2(0, add(initCode, 32), mload(initCode), salt)
        }
        VM.assertEq(created, expected.account("box"));
        VM.assertEq(created.code, expected.data("runtime_code"));
        IBallotBox made = IBallotBox(created);
        made.initialize();
        VM.assertEq(made.head(), arguments.word("definition_hash"));
        VM.assertEq(made.definitionHash(), arguments.word("definition_hash"));
        VM.assertEq(made.organizer(), arguments.account("organizer"));
        ElectionParams memory said = ElectionParams(
            made.opensAt(), made.closesAt(), made.sheetBits(), made.voters(), made.maxBallotBytes(), made.textBallots()
        );
        VM.assertEq(abi.encode(said), abi.encode(_paramsOf(arguments)));
        bytes32[] memory roots = arguments.words("sheet_roots");
        VM.assertEq(made.sheetCount(), roots.length);
        for (uint256 sheet = 0; sheet < roots.length; ++sheet) {
            VM.assertEq(made.sheetRoot(sheet), roots[sheet]);
        }
    }
}
