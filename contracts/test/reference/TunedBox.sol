// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {MessageHashUtils} from "@openzeppelin/contracts/utils/cryptography/MessageHashUtils.sol";
import {ECDSA} from "solady/src/utils/ECDSA.sol";
import {EfficientHashLib} from "solady/src/utils/EfficientHashLib.sol";

import {IBallotBox} from "../../interfaces/IBallotBox.sol";
import {Batch} from "../../libraries/Batch.sol";
import {BoxArguments, Rules} from "../../libraries/BoxArguments.sol";
import {Census} from "../../libraries/Census.sol";
import {LowLevel} from "../../libraries/LowLevel.sol";
import {Words} from "./Words.sol";

/// @title TunedBox: the packed call with its loops in Solidity, as cheap as they get
/// @notice What the assembly of BallotBox is measured against: the loops over ballots and over tree nodes are Solidity's,
/// unchecked, with Solady's hashing and recovery and helpers of an instruction or two. For good batches only: with a bad
/// one it may give another error.
contract TunedBox {
    bytes32 private constant DOMAIN_TYPEHASH =
        keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)");
    bytes32 private constant NAME_HASH = keccak256("QBallot");
    bytes32 private constant VERSION_HASH = keccak256("1");
    bytes32 private constant BYTES_TYPEHASH = keccak256("Ballot(uint32 voter,uint40 castAt,bytes ballot)");
    bytes32 private constant TEXT_TYPEHASH = keccak256("Ballot(uint32 voter,uint40 castAt,string ballot)");
    uint256 private constant MAX_S = 0x7fffffffffffffffffffffffffffffff5d576e7357a4501ddfe92f46681b20a0;

    /// @notice As in BallotBox.
    bytes32 public head;

    /// @notice As in BallotBox.
    function castSigned(bytes calldata batch, bytes32[] calldata proof) external {
        bytes32 previous = head;
        if (previous == 0) revert IBallotBox.BallotBoxNotInitialized();
        if (previous == keccak256("QBallot: cancelled")) revert IBallotBox.BallotBoxElectionCancelled();
        Rules rules = BoxArguments.rules();
        if (block.timestamp < rules.opensAt() || block.timestamp >= rules.closesAt()) {
            revert IBallotBox.BallotBoxNotOpen(block.timestamp, rules.opensAt(), rules.closesAt());
        }
        bytes memory records = _checkBatch(rules, batch, proof);
        head = EfficientHashLib.hash(previous, keccak256(records));
        LowLevel.emitBytes(IBallotBox.BallotsCast.selector, records);
    }

    // One loop, whatever its length: calls cost gas too.
    // solhint-disable-next-line function-max-lines
    function _checkBatch(Rules rules, bytes calldata batch, bytes32[] calldata proof)
        private
        view
        returns (bytes memory records)
    {
        unchecked {
            uint256 expected = Batch.checkBase(rules, batch);
            uint256 sheet = expected >> rules.sheetBits();
            uint256 limit = (sheet + 1) << rules.sheetBits();
            if (limit > rules.voters()) limit = rules.voters();
            uint256 place = 2 * limit - 1 - (sheet << rules.sheetBits());
            bytes32 typehash = rules.textBallots() ? TEXT_TYPEHASH : BYTES_TYPEHASH;
            bytes32 domain = EfficientHashLib.hash(
                uint256(DOMAIN_TYPEHASH),
                uint256(NAME_HASH),
                uint256(VERSION_HASH),
                block.chainid,
                uint256(uint160(address(this)))
            );
            records = new bytes(batch.length);
            bytes memory queue = new bytes(64 * (batch.length / 65));
            uint256 entry = Words.begin(queue);
            uint256 base = uint256(LowLevel.load(batch, 0));
            uint256 offset = 24;
            uint256 written = 0;
            uint256 laters = 0;
            while (offset < batch.length) {
                uint256 start = offset;
                uint256 step;
                (step, offset) = _readNumber(batch, offset);
                uint256 later = uint256(LowLevel.load(batch, offset)) >> (256 - 8 * uint8(base >> 64));
                offset += uint8(base >> 64);
                uint256 weight = uint96(base >> 88);
                uint256 length = uint16(base >> 72);
                if (step & 3 != 0) {
                    if (step & 1 != 0) {
                        uint256 own;
                        (own, offset) = _readNumber(batch, offset);
                        if (own == weight || own > type(uint96).max) Batch.refuse(rules, batch, start, expected);
                        weight = own;
                    }
                    if (step & 2 != 0) {
                        uint256 own;
                        (own, offset) = _readNumber(batch, offset);
                        if (own == length) Batch.refuse(rules, batch, start, expected);
                        length = own;
                    }
                }
                uint256 voter = expected + (step >> 2);
                uint256 castAt = uint40(base >> 184) + later;
                if (
                    length > rules.maxBallotBytes() || offset + length + 64 > batch.length || voter >= limit
                        || castAt > block.timestamp
                ) Batch.refuse(rules, batch, start, expected);
                laters |= later == 0 ? 1 << 255 : later;
                bytes32 hash = Words.writeRecord(
                    records, written, voter << 224 | castAt << 184 | weight << 88 | length << 72, batch, offset, length
                );
                written += 23 + length;
                offset += length;
                hash = MessageHashUtils.toTypedDataHash(
                    domain, EfficientHashLib.hash(uint256(typehash), voter, castAt, uint256(hash))
                );
                bytes32 vs = LowLevel.load(batch, offset + 32);
                address account = ECDSA.tryRecover(hash, LowLevel.load(batch, offset), vs);
                if (account == address(0) || (uint256(vs) << 1) >> 1 > MAX_S) {
                    Batch.refuse(rules, batch, start, expected);
                }
                Words.write(
                    entry, place - voter + (sheet << rules.sheetBits()), Census.hashLeaf(voter, account, weight)
                );
                entry += 64;
                offset += 64;
                expected = voter + 1;
            }
            Batch.checkWidth(batch, laters);
            if (_computeRoot(queue, entry, proof) != BoxArguments.sheetRoot(sheet)) {
                revert IBallotBox.BallotBoxBatchNotInCensus(sheet);
            }
            Words.truncate(records, written);
        }
    }

    function _readNumber(bytes calldata batch, uint256 offset) private pure returns (uint256 value, uint256 end) {
        unchecked {
            value = uint8(bytes1(LowLevel.load(batch, offset)));
            end = offset + 1;
            if (value < 0x80) return (value, end);
            value &= 0x7f;
            for (uint256 shift = 7; shift < 98; shift += 7) {
                uint256 digit = uint8(bytes1(LowLevel.load(batch, end)));
                ++end;
                value |= (digit & 0x7f) << shift;
                if (digit < 0x80) return (digit == 0 ? type(uint256).max : value, end);
            }
            return (type(uint256).max, end);
        }
    }

    /// @dev A queue that each node leaves at its front and each parent enters at its back.
    function _computeRoot(bytes memory queue, uint256 end, bytes32[] calldata proof) private pure returns (bytes32) {
        unchecked {
            uint256 begin = Words.begin(queue);
            uint256 next = begin;
            uint256 last = begin;
            uint256 used = 0;
            while (true) {
                if (next == end) (next, end, last) = (begin, last, begin);
                (uint256 position, bytes32 node) = Words.read(next);
                if (position == 1) return used == proof.length ? node : bytes32(0);
                next += 64;
                (uint256 following, bytes32 sibling) = Words.read(next == end ? begin : next);
                if (position & 1 == 1 && following == position - 1) {
                    if (next == end) (next, end, last) = (begin, last, begin);
                    next += 64;
                } else {
                    sibling = LowLevel.load(proof, used);
                    ++used;
                }
                Words.write(
                    last,
                    position >> 1,
                    node < sibling ? EfficientHashLib.hash(node, sibling) : EfficientHashLib.hash(sibling, node)
                );
                last += 64;
            }
            return 0;
        }
    }
}
