// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {MessageHashUtils} from "@openzeppelin/contracts/utils/cryptography/MessageHashUtils.sol";
import {EfficientHashLib} from "solady/src/utils/EfficientHashLib.sol";
import {MerkleProofLib} from "solady/src/utils/MerkleProofLib.sol";

import {IBallotBox} from "./interfaces/IBallotBox.sol";
import {Batch} from "./libraries/Batch.sol";
import {BoxArguments, Rules} from "./libraries/BoxArguments.sol";
import {Census} from "./libraries/Census.sol";
import {LowLevel} from "./libraries/LowLevel.sol";
import {Records} from "./libraries/Records.sol";

/// @title BallotBox
/// @notice What the interface says. Runs only as a clone made by BallotBoxFactory.
contract BallotBox is IBallotBox {
    /// The head of a cancelled election.
    bytes32 public constant CANCELLED_HEAD = keccak256("QBallot: cancelled");

    bytes32 private constant DOMAIN_TYPEHASH =
        keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)");
    bytes32 private constant NAME_HASH = keccak256("QBallot");
    bytes32 private constant VERSION_HASH = keccak256("1");
    bytes32 private constant BYTES_TYPEHASH = keccak256("Ballot(uint32 voter,uint40 castAt,bytes ballot)");
    bytes32 private constant TEXT_TYPEHASH = keccak256("Ballot(uint32 voter,uint40 castAt,string ballot)");

    /// @inheritdoc IBallotBox
    bytes32 public head;

    /// @inheritdoc IBallotBox
    function initialize() external {
        bytes32 found = head;
        if (found != 0) revert BallotBoxAlreadyInitialized(found);
        // The implementation itself must never hold a head: it has code where a clone has arguments.
        if (!BoxArguments.isClone()) revert BallotBoxNotAClone(address(this));
        head = BoxArguments.definitionHash();
    }

    /// @inheritdoc IBallotBox
    function cast(uint32 voter, uint96 weight, bytes calldata ballot, bytes32[] calldata proof) external {
        (bytes32 previous, Rules rules) = _requireOpen();
        if (voter >= rules.voters()) revert BallotBoxVoterOutOfRange(voter, rules.voters());
        if (ballot.length > rules.maxBallotBytes()) {
            revert BallotBoxBallotTooLong(voter, ballot.length, rules.maxBallotBytes());
        }
        bytes32 root = BoxArguments.sheetRoot(voter >> rules.sheetBits());
        if (!MerkleProofLib.verifyCalldata(proof, root, Census.hashLeaf(voter, msg.sender, weight))) {
            revert BallotBoxNotInCensus(voter, msg.sender, weight);
        }
        _append(previous, Records.packDirect(voter, weight, ballot));
    }

    /// @inheritdoc IBallotBox
    function castSigned(bytes calldata batch, bytes32[] calldata proof) external {
        (bytes32 previous, Rules rules) = _requireOpen();
        _append(previous, _checkBatch(rules, batch, proof));
    }

    /// @inheritdoc IBallotBox
    function cancel() external {
        bytes32 found = head;
        if (found == 0) revert BallotBoxNotInitialized();
        if (found == CANCELLED_HEAD) revert BallotBoxElectionCancelled();
        address owner = BoxArguments.organizer();
        if (msg.sender != owner) revert BallotBoxNotOrganizer(msg.sender, owner);
        uint256 opening = BoxArguments.rules().opensAt();
        if (block.timestamp >= opening) revert BallotBoxAlreadyOpened(block.timestamp, opening);
        head = CANCELLED_HEAD;
        emit BallotBoxCancelled();
    }

    /// @inheritdoc IBallotBox
    function definitionHash() external view returns (bytes32) {
        return BoxArguments.definitionHash();
    }

    /// @inheritdoc IBallotBox
    function organizer() external view returns (address) {
        return BoxArguments.organizer();
    }

    /// @inheritdoc IBallotBox
    function opensAt() external view returns (uint40) {
        return uint40(BoxArguments.rules().opensAt());
    }

    /// @inheritdoc IBallotBox
    function closesAt() external view returns (uint40) {
        return uint40(BoxArguments.rules().closesAt());
    }

    /// @inheritdoc IBallotBox
    function sheetBits() external view returns (uint8) {
        return uint8(BoxArguments.rules().sheetBits());
    }

    /// @inheritdoc IBallotBox
    function voters() external view returns (uint32) {
        return uint32(BoxArguments.rules().voters());
    }

    /// @inheritdoc IBallotBox
    function maxBallotBytes() external view returns (uint16) {
        return uint16(BoxArguments.rules().maxBallotBytes());
    }

    /// @inheritdoc IBallotBox
    function textBallots() external view returns (bool) {
        return BoxArguments.rules().textBallots();
    }

    /// @inheritdoc IBallotBox
    function sheetCount() public view returns (uint256) {
        Rules rules = BoxArguments.rules();
        return ((rules.voters() - 1) >> rules.sheetBits()) + 1;
    }

    /// @inheritdoc IBallotBox
    function sheetRoot(uint256 sheet) external view returns (bytes32) {
        uint256 sheets = sheetCount();
        if (sheet >= sheets) revert BallotBoxSheetOutOfRange(sheet, sheets);
        return BoxArguments.sheetRoot(sheet);
    }

    /// @inheritdoc IBallotBox
    function hashBallot(uint32 voter, uint40 castAt, bytes calldata ballot) external view returns (bytes32) {
        bytes32 structHash = EfficientHashLib.hash(
            uint256(_ballotTypehash(BoxArguments.rules())), voter, castAt, uint256(keccak256(ballot))
        );
        return MessageHashUtils.toTypedDataHash(_domainSeparator(), structHash);
    }

    /// @inheritdoc IBallotBox
    function eip712Domain()
        external
        view
        returns (bytes1, string memory, string memory, uint256, address, bytes32, uint256[] memory)
    {
        // 0x0f: name, version, chainId and verifyingContract are used; salt and extensions are not.
        return (hex"0f", "QBallot", "1", block.chainid, address(this), 0, new uint256[](0));
    }

    /// @dev Reverts unless ballots are taken now. Returns the head and the rules, both of which a cast needs.
    function _requireOpen() private view returns (bytes32 previous, Rules rules) {
        previous = head;
        if (previous == 0) revert BallotBoxNotInitialized();
        if (previous == CANCELLED_HEAD) revert BallotBoxElectionCancelled();
        rules = BoxArguments.rules();
        if (block.timestamp < rules.opensAt() || block.timestamp >= rules.closesAt()) {
            revert BallotBoxNotOpen(block.timestamp, rules.opensAt(), rules.closesAt());
        }
    }

    /// @dev One link of the chain.
    function _append(bytes32 previous, bytes memory records) private {
        head = EfficientHashLib.hash(previous, keccak256(records));
        LowLevel.emitBytes(BallotsCast.selector, records);
    }

    /// @dev Checks every ballot of a batch and returns their records.
    function _checkBatch(Rules rules, bytes calldata batch, bytes32[] calldata proof)
        private
        view
        returns (bytes memory)
    {
        uint256 sheet = Batch.checkBase(rules, batch) >> rules.sheetBits();
        (uint256 first, uint256 limit) = _boundSheet(rules, sheet);
        // The sheet's first voter has the last of its tree's places, which are 1 … 2n - 1 for n voters.
        uint256 place = 2 * (limit - first) - 1 + first;
        (bytes memory records, uint256 reached, uint256 next, uint256 queueEnd, uint256 laters) = LowLevel.readBallots(
            batch, _ballotTypehash(rules), _domainSeparator(), limit, place, rules.maxBallotBytes()
        );
        if (reached != batch.length) Batch.refuse(rules, batch, reached, next);
        Batch.checkWidth(batch, laters);
        if (LowLevel.computeRoot(LowLevel.QUEUE, queueEnd, proof) != BoxArguments.sheetRoot(sheet)) {
            revert BallotBoxBatchNotInCensus(sheet);
        }
        return records;
    }

    /// @dev The first voter of a sheet, and the first behind it.
    function _boundSheet(Rules rules, uint256 sheet) private pure returns (uint256 first, uint256 limit) {
        first = sheet << rules.sheetBits();
        limit = first + (1 << rules.sheetBits());
        if (limit > rules.voters()) limit = rules.voters();
    }

    /// @dev Computed at use, so that a fork with another chain id has another domain.
    function _domainSeparator() private view returns (bytes32) {
        return EfficientHashLib.hash(
            uint256(DOMAIN_TYPEHASH),
            uint256(NAME_HASH),
            uint256(VERSION_HASH),
            block.chainid,
            uint256(uint160(address(this)))
        );
    }

    /// @dev Type of what a voter signs: EIP-712 hashes `bytes` and `string` alike, but wallets show them differently.
    function _ballotTypehash(Rules rules) private pure returns (bytes32) {
        return rules.textBallots() ? TEXT_TYPEHASH : BYTES_TYPEHASH;
    }
}
