// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import {MessageHashUtils} from "@openzeppelin/contracts/utils/cryptography/MessageHashUtils.sol";
import {EfficientHashLib} from "solady/src/utils/EfficientHashLib.sol";
import {MerkleProofLib} from "solady/src/utils/MerkleProofLib.sol";

import {IBallotBox} from "./interfaces/IBallotBox.sol";
import {BoxArguments, Rules} from "./libraries/BoxArguments.sol";
import {CalldataSlices} from "./libraries/CalldataSlices.sol";
import {Census} from "./libraries/Census.sol";
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
    bytes32 private constant BALLOT_TYPEHASH = keccak256("Ballot(uint32 voter,uint40 castAt,bytes ballot)");

    /// The first bytes of a clone with immutable arguments, up to the implementation's address.
    bytes10 private constant CLONE_PREFIX = 0x363d3d373d3d3d363d73;

    /// @inheritdoc IBallotBox
    bytes32 public head;

    /// @inheritdoc IBallotBox
    function initialize() external {
        bytes32 found = head;
        if (found != 0) revert BallotBoxAlreadyInitialized(found);
        // The implementation itself must never hold a head: it has code where a clone has arguments.
        if (bytes10(address(this).code) != CLONE_PREFIX) revert BallotBoxNotAClone(address(this));
        head = BoxArguments.definitionHash();
    }

    /// @inheritdoc IBallotBox
    function cast(uint32 voter, uint96 weight, bytes calldata ballot, bytes32[] calldata proof) external {
        (bytes32 previous, Rules memory rules) = _requireOpen();
        if (voter >= rules.voters) revert BallotBoxVoterOutOfRange(voter, rules.voters);
        if (ballot.length > rules.maxBallotBytes) {
            revert BallotBoxBallotTooLong(voter, ballot.length, rules.maxBallotBytes);
        }
        bytes32 root = BoxArguments.wardRoot(voter >> rules.wardBits);
        if (!MerkleProofLib.verifyCalldata(proof, root, Census.hashLeaf(voter, msg.sender, weight))) {
            revert BallotBoxNotInCensus(voter, msg.sender, weight);
        }
        _append(previous, Records.packDirect(voter, weight, ballot));
    }

    /// @inheritdoc IBallotBox
    function castSigned(bytes calldata signedRecords, bytes32[] calldata proof) external {
        (bytes32 previous, Rules memory rules) = _requireOpen();
        if (signedRecords.length == 0) revert BallotBoxEmptyBatch();
        _append(previous, _checkBatch(rules, signedRecords, proof));
    }

    /// @inheritdoc IBallotBox
    function cancel() external {
        bytes32 found = head;
        if (found == 0) revert BallotBoxNotInitialized();
        if (found == CANCELLED_HEAD) revert BallotBoxElectionCancelled();
        address owner = BoxArguments.organizer();
        if (msg.sender != owner) revert BallotBoxNotOrganizer(msg.sender, owner);
        uint256 opening = BoxArguments.rules().opensAt;
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
        return uint40(BoxArguments.rules().opensAt);
    }

    /// @inheritdoc IBallotBox
    function closesAt() external view returns (uint40) {
        return uint40(BoxArguments.rules().closesAt);
    }

    /// @inheritdoc IBallotBox
    function wardBits() external view returns (uint8) {
        return uint8(BoxArguments.rules().wardBits);
    }

    /// @inheritdoc IBallotBox
    function voters() external view returns (uint32) {
        return uint32(BoxArguments.rules().voters);
    }

    /// @inheritdoc IBallotBox
    function maxBallotBytes() external view returns (uint16) {
        return uint16(BoxArguments.rules().maxBallotBytes);
    }

    /// @inheritdoc IBallotBox
    function wardCount() public view returns (uint256) {
        Rules memory rules = BoxArguments.rules();
        return ((rules.voters - 1) >> rules.wardBits) + 1;
    }

    /// @inheritdoc IBallotBox
    function wardRoot(uint256 ward) external view returns (bytes32) {
        uint256 wards = wardCount();
        if (ward >= wards) revert BallotBoxWardOutOfRange(ward, wards);
        return BoxArguments.wardRoot(ward);
    }

    /// @inheritdoc IBallotBox
    function hashBallot(uint32 voter, uint40 castAt, bytes calldata ballot) external view returns (bytes32) {
        return _hashBallot(_domainSeparator(), voter, castAt, keccak256(ballot));
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
    function _requireOpen() private view returns (bytes32 previous, Rules memory rules) {
        previous = head;
        if (previous == 0) revert BallotBoxNotInitialized();
        if (previous == CANCELLED_HEAD) revert BallotBoxElectionCancelled();
        rules = BoxArguments.rules();
        if (block.timestamp < rules.opensAt || block.timestamp >= rules.closesAt) {
            revert BallotBoxNotOpen(block.timestamp, rules.opensAt, rules.closesAt);
        }
    }

    /// @dev One link of the chain.
    function _append(bytes32 previous, bytes memory records) private {
        head = EfficientHashLib.hash(previous, keccak256(records));
        emit BallotsCast(records);
    }

    /// @dev Checks every ballot of a batch and returns their records without the signatures.
    function _checkBatch(Rules memory rules, bytes calldata signedRecords, bytes32[] calldata proof)
        private
        view
        returns (bytes memory records)
    {
        bytes32 domain = _domainSeparator();
        // No batch holds more ballots than fit when all are empty.
        uint256 most = signedRecords.length / (Records.HEADER + Records.SIGNATURE) + 1;
        uint256[] memory positions = new uint256[](most);
        bytes32[] memory leaves = new bytes32[](most);
        records = new bytes(signedRecords.length);

        uint256 ward;
        uint256 lastPosition;
        uint256 nextVoter;
        uint256 count;
        uint256 offset;
        uint256 written;
        while (offset < signedRecords.length) {
            (uint256 voter, uint256 castAt, uint256 weight, uint256 length) =
                Records.parseHeader(CalldataSlices.load(signedRecords, offset));
            uint256 recordEnd = offset + Records.HEADER + length;
            if (recordEnd + Records.SIGNATURE > signedRecords.length) {
                revert BallotBoxTruncatedBatch(offset, signedRecords.length);
            }
            _checkRules(rules, voter, castAt, length);
            if (count == 0) {
                ward = voter >> rules.wardBits;
                lastPosition = _lastPosition(rules, ward);
            } else if (voter < nextVoter) {
                revert BallotBoxVotersNotAscending(nextVoter - 1, voter);
            } else if (voter >> rules.wardBits != ward) {
                revert BallotBoxVoterOutsideWard(voter, ward);
            }
            nextVoter = voter + 1;
            bytes32 ballotHash =
                CalldataSlices.copyAndHashTail(records, written, signedRecords, offset, recordEnd, Records.HEADER);
            bytes32 digest = _hashBallot(domain, voter, castAt, ballotHash);
            address account = _recover(voter, digest, signedRecords, recordEnd);
            positions[count] = lastPosition - (voter - (ward << rules.wardBits));
            leaves[count] = Census.hashLeaf(voter, account, weight);
            count += 1;
            written += recordEnd - offset;
            offset = recordEnd + Records.SIGNATURE;
        }
        if (Census.computeRoot(positions, leaves, count, proof) != BoxArguments.wardRoot(ward)) {
            revert BallotBoxBatchNotInCensus(ward);
        }
        CalldataSlices.truncate(records, written);
    }

    /// @dev What a signed record must satisfy whatever batch it is in.
    function _checkRules(Rules memory rules, uint256 voter, uint256 castAt, uint256 length) private view {
        if (voter >= rules.voters) revert BallotBoxVoterOutOfRange(voter, rules.voters);
        if (length > rules.maxBallotBytes) revert BallotBoxBallotTooLong(voter, length, rules.maxBallotBytes);
        if (castAt < rules.opensAt || castAt > block.timestamp) {
            revert BallotBoxCastAtOutsideWindow(voter, castAt, rules.opensAt, block.timestamp);
        }
    }

    /// @dev The account whose signature stands at `offset`. OpenZeppelin's recovery refuses malleable signatures and
    /// the zero address.
    function _recover(uint256 voter, bytes32 digest, bytes calldata signedRecords, uint256 offset)
        private
        pure
        returns (address account)
    {
        bytes32 r = CalldataSlices.load(signedRecords, offset);
        bytes32 vs = CalldataSlices.load(signedRecords, offset + 32);
        ECDSA.RecoverError failure;
        (account, failure,) = ECDSA.tryRecover(digest, r, vs);
        if (failure != ECDSA.RecoverError.NoError) revert BallotBoxInvalidSignature(voter);
    }

    /// @dev Where a ward's first voter stands in the ward's tree, which is the last place: 2n - 2 for n voters.
    function _lastPosition(Rules memory rules, uint256 ward) private pure returns (uint256) {
        uint256 full = 1 << rules.wardBits;
        uint256 left = rules.voters - (ward << rules.wardBits);
        return 2 * (left < full ? left : full) - 2;
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

    function _hashBallot(bytes32 domain, uint256 voter, uint256 castAt, bytes32 ballotHash)
        private
        pure
        returns (bytes32)
    {
        bytes32 structHash = EfficientHashLib.hash(uint256(BALLOT_TYPEHASH), voter, castAt, uint256(ballotHash));
        return MessageHashUtils.toTypedDataHash(domain, structHash);
    }
}
