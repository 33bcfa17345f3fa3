// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {MessageHashUtils} from "@openzeppelin/contracts/utils/cryptography/MessageHashUtils.sol";
import {ECDSA} from "solady/src/utils/ECDSA.sol";
import {EfficientHashLib} from "solady/src/utils/EfficientHashLib.sol";
import {MerkleProofLib} from "solady/src/utils/MerkleProofLib.sol";

import {IBallotBox} from "./interfaces/IBallotBox.sol";
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
    bytes32 private constant BALLOT_TYPEHASH = keccak256("Ballot(uint32 voter,uint40 castAt,bytes ballot)");

    /// Half the order of secp256k1: of the two values that `s` can have, only the lower is a signature (EIP-2).
    uint256 private constant MAX_S = 0x7fffffffffffffffffffffffffffffff5d576e7357a4501ddfe92f46681b20a0;

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
    function castSigned(bytes calldata signedRecords, bytes32[] calldata proof) external {
        (bytes32 previous, Rules rules) = _requireOpen();
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

    /// @dev Checks every ballot of a batch and returns their records without the signatures.
    function _checkBatch(Rules rules, bytes calldata signedRecords, bytes32[] calldata proof)
        private
        view
        returns (bytes memory records)
    {
        bytes32 domain = _domainSeparator();
        unchecked {
            // Offsets and counts are bounded by the calldata's length, voters and positions by 2**33.
            records = new bytes(_mostRecordBytes(signedRecords.length, rules.maxBallotBytes()));
            // Rounded down is meant: whole ballots are counted, and the shortest have no bytes of their own.
            // slither-disable-next-line divide-before-multiply
            bytes memory queue = new bytes(Census.ENTRY * (signedRecords.length / (Records.HEADER + Records.SIGNATURE)));
            uint256 entry = LowLevel.begin(queue);
            uint256 sheet = uint32(bytes4(LowLevel.load(signedRecords, 0))) >> rules.sheetBits();
            uint256 lastPosition = _lastPosition(rules, sheet);
            uint256 nextVoter = sheet << rules.sheetBits();
            uint256 firstVoter = nextVoter;
            uint256 offset = 0;
            uint256 written = 0;
            while (offset < signedRecords.length) {
                (uint256 voter, uint256 castAt, uint256 weight, uint256 length) =
                    Records.parseHeader(LowLevel.load(signedRecords, offset));
                uint256 recordEnd = offset + Records.HEADER + length;
                if (recordEnd + Records.SIGNATURE > signedRecords.length) {
                    revert BallotBoxTruncatedBatch(offset, signedRecords.length);
                }
                _checkRules(rules, voter, castAt, length);
                if (voter < nextVoter) revert BallotBoxVotersNotAscending(nextVoter - 1, voter);
                if (voter >> rules.sheetBits() != sheet) revert BallotBoxVoterOutsideSheet(voter, sheet);
                nextVoter = voter + 1;
                bytes32 ballotHash =
                    LowLevel.copyAndHashTail(records, written, signedRecords, offset, recordEnd, Records.HEADER);
                bytes32 digest = _hashBallot(domain, voter, castAt, ballotHash);
                address account = _recover(voter, digest, signedRecords, recordEnd);
                LowLevel.write(entry, lastPosition - (voter - firstVoter), Census.hashLeaf(voter, account, weight));
                entry += Census.ENTRY;
                written += recordEnd - offset;
                offset = recordEnd + Records.SIGNATURE;
            }
            if (Census.computeRoot(queue, entry - LowLevel.begin(queue), proof) != BoxArguments.sheetRoot(sheet)) {
                revert BallotBoxBatchNotInCensus(sheet);
            }
            LowLevel.truncate(records, written);
        }
    }

    /// @dev How many bytes the records of a batch can have at most: all of it but a signature for each ballot, and
    /// there are at least as many ballots as fit when all are as long as allowed. Exact when they are.
    function _mostRecordBytes(uint256 batchBytes, uint256 maxBallotBytes_) private pure returns (uint256) {
        unchecked {
            // The sums are bounded by the calldata's length, and the divisor is at least 87.
            uint256 longest = Records.HEADER + maxBallotBytes_ + Records.SIGNATURE;
            // Rounded down is meant: only whole ballots bring signatures.
            // slither-disable-next-line divide-before-multiply
            return batchBytes - Records.SIGNATURE * (batchBytes / longest);
        }
    }

    /// @dev What a signed record must satisfy whatever batch it is in.
    function _checkRules(Rules rules, uint256 voter, uint256 castAt, uint256 length) private view {
        if (voter >= rules.voters()) revert BallotBoxVoterOutOfRange(voter, rules.voters());
        if (length > rules.maxBallotBytes()) revert BallotBoxBallotTooLong(voter, length, rules.maxBallotBytes());
        if (castAt < rules.opensAt() || castAt > block.timestamp) {
            revert BallotBoxCastAtOutsideWindow(voter, castAt, rules.opensAt(), block.timestamp);
        }
    }

    /// @dev The account whose signature stands at `offset`.
    function _recover(uint256 voter, bytes32 digest, bytes calldata signedRecords, uint256 offset)
        private
        view
        returns (address account)
    {
        bytes32 vs = LowLevel.load(signedRecords, offset + 32);
        account = ECDSA.tryRecover(digest, LowLevel.load(signedRecords, offset), vs);
        // Solady recovers from malleable signatures too, and gives zero for what is none: neither is one here.
        if (account == address(0) || (uint256(vs) << 1) >> 1 > MAX_S) revert BallotBoxInvalidSignature(voter);
    }

    /// @dev Where a sheet's first voter stands in the sheet's tree, which is the last place: 2n - 2 for n voters.
    function _lastPosition(Rules rules, uint256 sheet) private pure returns (uint256) {
        unchecked {
            // A sheet that does not exist wraps around here, to be refused as soon as its first voter is looked at.
            uint256 full = 1 << rules.sheetBits();
            uint256 left = rules.voters() - (sheet << rules.sheetBits());
            return 2 * (left < full ? left : full) - 2;
        }
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
