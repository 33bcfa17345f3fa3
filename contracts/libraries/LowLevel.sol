// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

// The two loops are one block of assembly each, for the reasons below.
// solhint-disable no-inline-assembly, function-max-lines

/// @title LowLevel: all assembly of ours
/// @dev Why at all: one call handles hundreds of ballots and pays for each instruction in all of them. Most functions
/// are an instruction or a few, where Solidity's slices and arrays would check bounds that the callers have checked, or
/// take fresh memory that is never given back. The two long ones are the loops over ballots and over tree nodes. In
/// Solidity their variables do not fit on the stack, and moving them to and from memory costs as much as the work
/// itself. Each function says what its caller has checked.
library LowLevel {
    // Where `readBallots` keeps what it needs for every ballot. Addresses that are known when the code is compiled cost
    // less than pointers, and memory costs less than a stack that is too deep.
    //
    //     0x080  DIGEST      0x1901 | domain | struct hash: what is signed, 66 bytes
    //     0x0e0  LIMIT       the first voter behind the sheet
    //     0x100  PLACE       a voter's position in the sheet's tree is this less the voter's index
    //     0x120  ROOM        the greatest `later`
    //     0x140  MAX_LENGTH  the longest ballot
    //     0x160  EARLIEST    the base's castAt
    //     0x180  SHORT       its weight and length, in their places in a record's header
    //     0x1a0  WEIGHT, 0x1c0 LENGTH, 0x1e0 WIDTH
    //     0x200  UNREAD      bits of a word that follow a `later` at its beginning
    //     0x220  STRUCT      type hash | voter | castAt | hash of the ballot; then voter | account | weight, the leaf
    //     0x2a0  NEXT        the first voter
    //     0x2c0  QUEUE       for each ballot its position in the tree, counted from 1, and its leaf; then the event
    uint256 private constant DIGEST = 0x80;
    uint256 private constant LIMIT = 0xe0;
    uint256 private constant PLACE = 0x100;
    uint256 private constant ROOM = 0x120;
    uint256 private constant MAX_LENGTH = 0x140;
    uint256 private constant EARLIEST = 0x160;
    uint256 private constant SHORT = 0x180;
    uint256 private constant WEIGHT = 0x1a0;
    uint256 private constant LENGTH = 0x1c0;
    uint256 private constant WIDTH = 0x1e0;
    uint256 private constant UNREAD = 0x200;
    uint256 private constant STRUCT = 0x220;
    uint256 private constant NEXT = 0x2a0;
    uint256 internal constant QUEUE = 0x2c0;

    /// An offset that no calldata reaches.
    uint256 private constant FAR = 1 << 255;

    /// Half the order of secp256k1: of the two values that `s` can have, only the lower is a signature (EIP-2).
    uint256 private constant MAX_S = 0x7fffffffffffffffffffffffffffffff5d576e7357a4501ddfe92f46681b20a0;
    /// All of `vs` but the parity.
    uint256 private constant S_BITS = 0x7fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff;

    /// @dev The 32 bytes of calldata at `offset` of `data`. Beyond its end they are whatever follows in the calldata,
    /// or zero; the caller rejects lengths that do not fit, before or after.
    function load(bytes calldata data, uint256 offset) internal pure returns (bytes32 word) {
        assembly ("memory-safe") {
            word := calldataload(add(data.offset, offset))
        }
    }

    /// @dev The element at `index` of `list`; beyond its end as above.
    function load(bytes32[] calldata list, uint256 index) internal pure returns (bytes32 word) {
        assembly ("memory-safe") {
            word := calldataload(add(list.offset, shl(5, index)))
        }
    }

    /// @dev New memory: the first `count` bytes of `word`, then `tail`.
    function concat(bytes32 word, uint256 count, bytes calldata tail) internal pure returns (bytes memory data) {
        assembly ("memory-safe") {
            data := mload(0x40)
            let content := add(data, 32)
            let length := add(count, tail.length)
            mstore(data, length)
            mstore(content, word)
            calldatacopy(add(content, count), tail.offset, tail.length)
            let end := add(content, length)
            // What follows is zero up to the next whole word and beyond, as the ABI pads and as `emitBytes` needs.
            mstore(end, 0)
            mstore(0x40, add(end, 32))
        }
    }

    /// @dev Emits an event that has `data` as its only field, without the copy that `emit` makes. The caller has made
    /// sure that zeros follow `data` up to a whole word.
    function emitBytes(bytes32 topic, bytes memory data) internal {
        assembly ("memory-safe") {
            // The ABI puts the offset of `data`, 32, before its length: it takes the place of what stands there, which
            // is put back.
            let start := sub(data, 32)
            let kept := mload(start)
            mstore(start, 32)
            log1(start, add(64, and(add(mload(data), 31), not(31))), topic)
            mstore(start, kept)
        }
    }

    /// @dev 32 bytes of the executing account's own code; zero beyond its end. In a clone, which runs the
    /// implementation's code, that is the clone's: its arguments.
    function ownCode(uint256 offset) internal view returns (bytes32 word) {
        assembly ("memory-safe") {
            extcodecopy(address(), 0, offset, 32)
            word := mload(0)
        }
    }

    /// @dev Reads the ballots of a packed batch (libraries/Batch.sol) for as long as they are right. Writes their
    /// records, recovers their signers and queues their leaves. Stops before the first ballot that is not in its one
    /// form, does not end within the batch, has a voter at or beyond `limit`, more than `maxLength` bytes or a `castAt`
    /// later than now, or has no valid signature. The caller has checked the base: its voter is below `limit`, its
    /// length at most `maxLength`, its `castAt` in the window, its width at most 5. The caller has allocated no memory
    /// before, and written none from QUEUE on.
    ///
    /// Nothing that is read wraps around: numbers have at most 98 bits, and sums are compared before they become fields
    /// of a record. Bytes beyond the batch may be read, but a ballot with any of them is not taken, because its
    /// signature ends later still. Queue and records together take less than twice the batch's size: a ballot has at
    /// least 65 bytes; it takes 64 in the queue, and in the records fewer than its own.
    /// @param typeHash Of the signed struct.
    /// @param domain EIP-712 domain separator.
    /// @param limit The first voter behind the sheet.
    /// @param place What a voter's position in the tree and the voter's index add up to; positions count from 1 here.
    /// @return records The ballots' records, followed by zeros up to a whole word and with room for a word in front.
    /// @return reached The offset of the ballot that was not taken; the batch's length if there is none.
    /// @return next The voter behind that of the last ballot taken.
    /// @return queueEnd Where the queue that began at `QUEUE` ends.
    /// @return laters Every `later`, joined by OR, with bit 255 set if one was zero.
    function readBallots(
        bytes calldata batch,
        bytes32 typeHash,
        bytes32 domain,
        uint256 limit,
        uint256 place,
        uint256 maxLength
    ) internal view returns (bytes memory records, uint256 reached, uint256 next, uint256 queueEnd, uint256 laters) {
        // One block, so that the free memory pointer and the zero word can be lent to the loop.
        assembly ("memory-safe") {
            // The number whose first byte is `digit`, with the top bit set, and whose second byte is at `from`. A
            // number that is not the shortest, or has more than 14 bytes, is returned as 2**256 - 1, which no check
            // lets pass.
            function readLong(digit, from) -> value, to {
                value := and(digit, 0x7f)
                to := from
                for { let shift := 7 } 1 { shift := add(shift, 7) } {
                    digit := byte(0, calldataload(to))
                    to := add(to, 1)
                    value := or(value, shl(shift, and(digit, 0x7f)))
                    if lt(digit, 0x80) {
                        if iszero(digit) { value := not(0) }
                        break
                    }
                    if eq(shift, 91) {
                        value := not(0)
                        break
                    }
                }
            }

            // The weight and length of a ballot with this step, one or both of which follow its `later`, which is at
            // `from`. `to` is where its `later` would be if they stood before it, or FAR where one is not as it must
            // be.
            function readOwn(step, from) -> weight, length, to {
                weight := mload(WEIGHT)
                length := mload(LENGTH)
                to := add(from, mload(WIDTH))
                if and(step, 1) {
                    let own := byte(0, calldataload(to))
                    to := add(to, 1)
                    if gt(own, 0x7f) { own, to := readLong(own, to) }
                    if or(eq(own, weight), shr(96, own)) { to := FAR }
                    weight := own
                }
                if and(step, 2) {
                    let own := byte(0, calldataload(to))
                    to := add(to, 1)
                    if gt(own, 0x7f) { own, to := readLong(own, to) }
                    if or(eq(own, length), gt(own, mload(MAX_LENGTH))) { to := FAR }
                    length := and(own, 0xffff)
                }
                to := sub(to, mload(WIDTH))
            }

            // The loop. The compiler never inlines a function with a `leave`, so this one's variables have the stack to
            // themselves.
            function readAll(from, end, to) -> offset, expected, entry, seen, record {
                offset := from
                expected := mload(NEXT)
                entry := QUEUE
                record := to
                for {} lt(offset, end) {} {
                    let later := calldataload(offset)
                    let voter := byte(0, later)
                    let content := add(offset, 1)
                    let weight := mload(WEIGHT)
                    let length := mload(LENGTH)
                    let short := mload(SHORT)
                    later := shl(8, later)
                    // A step of more than one byte, or one that announces a weight or length.
                    if and(voter, 0x83) {
                        if gt(voter, 0x7f) {
                            voter, content := readLong(voter, content)
                            later := calldataload(content)
                        }
                        if and(voter, 3) {
                            weight, length, content := readOwn(voter, content)
                            short := or(shl(88, weight), shl(72, length))
                        }
                    }
                    content := add(content, mload(WIDTH))
                    later := shr(mload(UNREAD), later)
                    voter := add(expected, shr(2, voter))
                    let signature := add(content, length)
                    if or(or(gt(add(signature, 64), end), gt(later, mload(ROOM))), iszero(lt(voter, mload(LIMIT)))) {
                        leave
                    }
                    seen := or(seen, or(later, shl(255, iszero(later))))

                    // The record. From here on `later` is castAt.
                    later := add(later, mload(EARLIEST))
                    mstore(record, or(or(shl(224, voter), shl(184, later)), short))
                    calldatacopy(add(record, 23), content, length)

                    // The digest, and who signed it. Until the loop ends, the precompile's input takes the places of
                    // the free memory pointer and of the zero word. The account takes castAt's place.
                    mstore(add(STRUCT, 0x20), voter)
                    mstore(add(STRUCT, 0x40), later)
                    mstore(add(STRUCT, 0x60), keccak256(add(record, 23), length))
                    mstore(add(DIGEST, 0x22), keccak256(STRUCT, 0x80))
                    mstore(0, keccak256(DIGEST, 0x42))
                    let vs := calldataload(add(signature, 0x20))
                    mstore(0x20, add(shr(255, vs), 27))
                    mstore(0x40, calldataload(signature))
                    vs := and(vs, S_BITS)
                    mstore(0x60, vs)
                    pop(staticcall(gas(), 1, 0, 0x80, add(STRUCT, 0x40), 0x20))
                    // The precompile answers nothing to what is no signature, and nothing when it runs out of gas.
                    if or(gt(vs, MAX_S), iszero(returndatasize())) { leave }

                    // The leaf.
                    mstore(add(STRUCT, 0x60), weight)
                    mstore(0, keccak256(add(STRUCT, 0x20), 0x60))
                    mstore(entry, sub(mload(PLACE), voter))
                    mstore(add(entry, 0x20), keccak256(0, 0x20))
                    entry := add(entry, 0x40)

                    expected := add(voter, 1)
                    record := add(record, add(23, length))
                    offset := add(signature, 64)
                }
            }

            // All memory from 0x80 on is free to take only while the free memory pointer says so.
            if xor(mload(0x40), DIGEST) { revert(0, 0) }
            mstore(DIGEST, shl(240, 0x1901))
            mstore(add(DIGEST, 2), domain)
            mstore(LIMIT, limit)
            mstore(PLACE, place)
            mstore(MAX_LENGTH, maxLength)
            {
                let base := calldataload(batch.offset)
                let earliest := and(shr(184, base), 0xffffffffff)
                let width := byte(23, base)
                mstore(ROOM, sub(timestamp(), earliest))
                mstore(EARLIEST, earliest)
                mstore(SHORT, shl(72, and(shr(72, base), 0xffffffffffffffffffffffffffff)))
                mstore(WEIGHT, and(shr(88, base), 0xffffffffffffffffffffffff))
                mstore(LENGTH, and(shr(72, base), 0xffff))
                mstore(WIDTH, width)
                mstore(UNREAD, sub(256, shl(3, width)))
                mstore(NEXT, shr(224, base))
            }
            mstore(STRUCT, typeHash)

            // Behind the longest queue: two words for the event's framing.
            let begin := add(add(QUEUE, 0x40), shl(6, div(sub(batch.length, 24), 65)))
            let end
            reached, next, queueEnd, laters, end :=
                readAll(add(batch.offset, 24), add(batch.offset, batch.length), begin)
            reached := sub(reached, batch.offset)
            records := sub(begin, 0x20)
            mstore(records, sub(end, begin))
            // Zeros follow the last record: those of its header, then memory that nobody has written.
            mstore(0x40, and(add(end, 63), not(31)))
            mstore(0x60, 0)
        }
    }

    /// @dev The root that follows from some leaves of a sheet's tree and a multiproof (libraries/Census.sol). The queue
    /// lies between `begin` and `end`, with 64 bytes an entry: position and node, strictly descending by position, at
    /// least one. Positions count from 1, so the sibling of p is p ^ 1 and its parent p >> 1. The queue is overwritten.
    ///
    /// Each pass replaces every node, together with a sibling that follows it, by their parent. The greatest position
    /// in the queue is never more than twice the least plus one. So a sibling is the next entry or an element of the
    /// proof; only the last entry's can also be the first parent of the same pass.
    /// @return root The root, or zero if the proof has too few or too many elements.
    function computeRoot(uint256 begin, uint256 end, bytes32[] calldata proof) internal pure returns (bytes32 root) {
        // One block, because a step of this loop is less work than Solidity's checks of it would be.
        assembly ("memory-safe") {
            // Writes the parent of `node` at `to`.
            function writeParent(to, position, node, sibling) {
                // The smaller one first. The two change places by arithmetic, since halmos cannot follow an address
                // that depends on a comparison.
                let change := and(xor(node, sibling), sub(0, gt(node, sibling)))
                mstore(0, xor(node, change))
                mstore(0x20, xor(sibling, change))
                mstore(to, shr(1, position))
                mstore(add(to, 0x20), keccak256(0, 0x40))
            }

            // Where the proof is too short, whatever follows it is read. The count shows that in the end.
            let element := proof.offset
            let next := begin
            for {} 1 {} {
                let parents := begin
                let last := sub(end, 0x40)
                for {} lt(next, last) {} {
                    let position := mload(next)
                    let node := mload(add(next, 0x20))
                    next := add(next, 0x40)
                    let sibling
                    switch eq(mload(next), xor(position, 1))
                    case 1 {
                        sibling := mload(add(next, 0x20))
                        next := add(next, 0x40)
                    }
                    default {
                        sibling := calldataload(element)
                        element := add(element, 0x20)
                    }
                    writeParent(parents, position, node, sibling)
                    parents := add(parents, 0x40)
                }
                let first := begin
                if eq(next, last) {
                    let position := mload(last)
                    let node := mload(add(last, 0x20))
                    if eq(position, 1) {
                        if eq(element, add(proof.offset, shl(5, proof.length))) { root := node }
                        break
                    }
                    let sibling
                    switch and(gt(parents, begin), eq(mload(begin), xor(position, 1)))
                    case 1 {
                        sibling := mload(add(begin, 0x20))
                        first := add(begin, 0x40)
                    }
                    default {
                        sibling := calldataload(element)
                        element := add(element, 0x20)
                    }
                    writeParent(parents, position, node, sibling)
                    parents := add(parents, 0x40)
                }
                next := first
                end := parents
            }
        }
    }
}
