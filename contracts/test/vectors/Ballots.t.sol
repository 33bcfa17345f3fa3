// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IBallotBox} from "../../interfaces/IBallotBox.sol";
import {ElectionParams} from "../../interfaces/IBallotBoxFactory.sol";
import {VM} from "../Vm.sol";
import {Ballots, Record} from "../support/Ballots.sol";
import {ElectionTest} from "../support/ElectionTest.sol";
import {Electorate, Electorates} from "../support/Electorate.sol";
import {SheetTree} from "../support/SheetTree.sol";
import {ILibraries} from "./ILibraries.sol";
import {Vector, Vectors} from "./VectorFile.sol";

/// @notice Records, chains of batches and signatures, as the files say that they are.
contract BallotVectorsTest is ElectionTest {
    using Electorates for Electorate;
    using Vectors for Vector;

    /// The second of the earliest ballot in the files.
    uint40 private constant FIRST_BALLOT = 1_800_000_000;

    ILibraries private _libraries;

    function setUp() public override {
        super.setUp();
        _libraries = ILibraries(VM.deployCode("Libraries.sol:Libraries"));
    }

    function test_records__of_the_file__are_packed_and_parsed_so() public {
        Vector[] memory records = Vectors.open("records.json").list("records");
        for (uint256 i = 0; i < records.length; ++i) {
            uint256 voter = records[i].number("voter");
            uint256 castAt = records[i].number("cast_at");
            uint256 weight = records[i].number("weight");
            bytes memory ballot = records[i].data("ballot");
            bytes memory packed = records[i].data("packed");
            VM.assertEq(Ballots.pack(voter, castAt, weight, ballot), packed);
            (uint256 foundVoter, uint256 foundCastAt, uint256 foundWeight, uint256 length) =
                _libraries.parseHeader(bytes32(packed));
            VM.assertEq(foundVoter, voter, "voter");
            VM.assertEq(foundCastAt, castAt, "castAt");
            VM.assertEq(foundWeight, weight, "weight");
            VM.assertEq(length, ballot.length, "length");
            // The bit that marks a direct cast is the only thing in which its record differs.
            VM.warp(castAt & ~Ballots.DIRECT);
            bytes memory direct = _libraries.packDirect(voter, weight, ballot);
            direct[4] = bytes1((uint8(direct[4]) & 0x7f) | (uint8(packed[4]) & 0x80));
            VM.assertEq(direct, packed);
        }
    }

    /// @dev The contracts never read unsigned records. What takes them apart in these tests is as strict as an indexer.
    function test_records__malformed_ones_of_the_file__are_none() public view {
        Vector[] memory malformed = Vectors.open("records.json").list("malformed");
        for (uint256 i = 0; i < malformed.length; ++i) {
            (bool ok,) = address(this).staticcall(abi.encodeCall(this.unpack, (malformed[i].data("data"))));
            VM.assertFalse(ok, "taken for records");
        }
    }

    function test_heads__of_the_file__are_those_of_a_real_box() public {
        Vector[] memory chains = Vectors.open("heads.json").list("chains");
        for (uint256 i = 0; i < chains.length; ++i) {
            box = _boxOfHeads(i);
            // Nobody knows the text with this hash.
            bytes32 head = chains[i].word("definition_hash");
            VM.store(address(box), 0, head);
            Vector[] memory batches = chains[i].listIfAny("batches");
            for (uint256 j = 0; j < batches.length; ++j) {
                bytes memory records = batches[j].data("records");
                _castRecords(records);
                head = batches[j].word("head");
                VM.assertEq(box.head(), head);
            }
        }
    }

    function test_head__of_a_cancelled_box__is_that_of_the_file() public {
        VM.warp(CREATED_AT);
        VM.prank(organizer);
        box.cancel();
        VM.assertEq(box.head(), Vectors.open("heads.json").word("cancelled_head"));
    }

    function test_signatures__of_eth_account__are_taken_by_the_box_they_are_for() public {
        _checkSignatures("signatures.json", "signatures", false);
    }

    function test_signatures__of_viem__are_taken_by_the_box_they_are_for() public {
        _checkSignatures("signatures_viem.json", "signatures", false);
    }

    function test_text_signatures__of_eth_account__are_taken_by_the_text_box_they_are_for() public {
        _checkSignatures("signatures.json", "text_signatures", true);
    }

    function test_text_signatures__of_viem__are_taken_by_the_text_box_they_are_for() public {
        _checkSignatures("signatures_viem.json", "text_signatures", true);
    }

    /// @notice Reverts unless the bytes are records.
    function unpack(bytes memory records) external pure {
        Ballots.unpack(records);
    }

    /// @dev Each digest is what a box at the signature's address, on its chain, says; and the box takes the ballot from
    /// its signer.
    function _checkSignatures(string memory file, string memory key, bool text) private {
        Vector[] memory signatures = Vectors.open(file).list(key);
        for (uint256 i = 0; i < signatures.length; ++i) {
            Vector memory signature = signatures[i];
            VM.chainId(signature.number("chain_id"));
            uint256 voter = signature.number("voter");
            uint256 castAt = signature.number("cast_at");
            bytes memory ballot = signature.data("ballot");
            bytes memory compact = bytes.concat(signature.word("r"), signature.word("vs"));
            VM.assertEq(Ballots.sign(uint256(signature.word("private_key")), signature.word("digest")), compact);

            (bytes32 root, bytes32[] memory proof) = _lastLeaf(voter, signature.account("signer"));
            _placeBox(signature.account("box"), voter, root, text);
            VM.assertEq(box.hashBallot(uint32(voter), uint40(castAt), ballot), signature.word("digest"));
            VM.assertEq(_domainSeparator(), signature.word("domain_separator"));
            bytes memory record = Ballots.pack(voter, castAt, 1, ballot);
            bytes memory call = _signedCall(bytes.concat(record, compact), proof);
            VM.warp(castAt & ~Ballots.DIRECT);
            // The greatest numbers that can be signed are beyond what a box takes.
            if (castAt >= Ballots.DIRECT) _assertReverts(stranger, address(box), call, _outOfRange(voter));
            else _assertCasts(stranger, address(box), call, record);
        }
    }

    function _outOfRange(uint256 voter) private pure returns (bytes memory) {
        return abi.encodeWithSelector(IBallotBox.BallotBoxVoterOutOfRange.selector, voter, voter);
    }

    /// @dev Puts a box at this address, of one sheet with all voters up to this one.
    function _placeBox(address place, uint256 voter, bytes32 root, bool text) private {
        uint32 voters = uint32(voter == type(uint32).max ? voter : voter + 1);
        bytes memory rules = abi.encodePacked(FIRST_BALLOT, uint40(1 << 39), uint8(32), voters, uint16(256), text, root);
        VM.etch(
            place,
            abi.encodePacked(
                hex"363d3d373d3d3d363d73",
                factory.implementation(),
                hex"5af43d82803e903d91602b57fd5bf3",
                keccak256(DEFINITION),
                organizer,
                rules
            )
        );
        VM.store(place, 0, 0);
        box = IBallotBox(place);
        box.initialize();
    }

    /// @dev A tree of which only the last leaf is known, with weight 1, and its proof.
    function _lastLeaf(uint256 voter, address account) private pure returns (bytes32 node, bytes32[] memory proof) {
        node = SheetTree.hashLeaf(voter, account, 1);
        uint256 levels = 0;
        for (uint256 position = voter; position > 0; position = (position - 1) / 2) {
            ++levels;
        }
        proof = new bytes32[](levels);
        for (uint256 i = 0; i < levels; ++i) {
            proof[i] = keccak256(abi.encode("a node", i));
            node = SheetTree.hashPair(node, proof[i]);
        }
    }

    /// @dev From what the box says of its domain (EIP-5267).
    function _domainSeparator() private view returns (bytes32) {
        (, string memory name, string memory version, uint256 chain, address place,,) = box.eip712Domain();
        bytes32 kind = keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)");
        return keccak256(abi.encode(kind, keccak256(bytes(name)), keccak256(bytes(version)), chain, place));
    }

    /// @dev An election of the ten voters with weight 1 whose window contains the ballots of heads.json.
    function _boxOfHeads(uint256 salt) private returns (IBallotBox opened) {
        ElectionParams memory params = _params();
        (params.opensAt, params.sheetBits) = (FIRST_BALLOT, 10);
        VM.warp(FIRST_BALLOT - 1);
        opened = _create(params, _electorateOfHeads().roots(), salt);
        VM.warp(NOW);
    }

    function _electorateOfHeads() private pure returns (Electorate memory electorate) {
        electorate = Electorates.make(VOTERS, 10);
        for (uint256 voter = 0; voter < VOTERS; ++voter) {
            electorate.weights[voter] = 1;
        }
        electorate.seal();
    }

    /// @dev Has the voters of these records sign them, and casts them as one batch.
    function _castRecords(bytes memory packed) private {
        bytes memory batch;
        Record[] memory records = Ballots.unpack(packed);
        uint256[] memory voters = new uint256[](records.length);
        for (uint256 i = 0; i < records.length; ++i) {
            voters[i] = records[i].voter;
            bytes memory record = Ballots.pack(voters[i], records[i].castAt, records[i].weight, records[i].ballot);
            bytes32 digest =
                Ballots.digest(VM.getChainId(), address(box), voters[i], records[i].castAt, records[i].ballot);
            batch = bytes.concat(batch, record, Ballots.sign(Electorates.key(voters[i]), digest));
        }
        _assertCasts(stranger, address(box), _signedCall(batch, _electorateOfHeads().proveMany(voters)), packed);
    }
}
