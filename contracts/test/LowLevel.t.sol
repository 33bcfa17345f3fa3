// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {LowLevel} from "../libraries/LowLevel.sol";
import {VM, Vm} from "./Vm.sol";
import {SheetTree} from "./support/SheetTree.sol";

/// @notice Each function of the assembly beside plain Solidity that does the same, within what its callers have checked.
contract LowLevelTest {
    event Emitted(bytes data);

    /// What memory holds that nobody has written yet, in these tests: anything but zeros.
    uint256 private constant DIRT = 0xdddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddd;

    function testFuzz_load__bytes_at_any_offset__are_those_of_the_calldata(bytes calldata data, uint256 offset)
        external
        pure
    {
        offset %= data.length + 64;
        bytes32 word = LowLevel.load(data, offset);
        if (offset + 32 <= data.length) VM.assertEq(word, bytes32(data[offset:offset + 32]));
        // Behind the selector and the head's two words stands the length, and behind that what `data` is.
        VM.assertEq(word, _word(msg.data, 4 + 64 + 32 + offset));
    }

    function testFuzz_load__element_at_any_index__is_that_of_the_list(bytes32[] calldata list, uint256 index)
        external
        pure
    {
        index %= list.length + 2;
        bytes32 word = LowLevel.load(list, index);
        VM.assertEq(word, index < list.length ? list[index] : bytes32(0));
    }

    function testFuzz_concat__any_parts__is_new_memory_that_ends_in_zeros(
        bytes32 word,
        uint256 count,
        bytes calldata tail
    ) external pure {
        count %= 33;
        bytes memory expected = bytes.concat(_first(word, count), tail);
        bytes memory earlier = _filled(64, 0xbb);
        _soilFreeMemory(expected.length + 256);
        uint256 free = _freeMemory();
        bytes memory data = LowLevel.concat(word, count, tail);
        uint256 freeAfter = _freeMemory();
        uint256 place;
        assembly ("memory-safe") {
            place := data
        }
        VM.assertEq(place, free, "memory is left out before it");
        VM.assertLt(freeAfter, place + data.length + 96, "memory is left out behind it");
        VM.assertEq(_behind(data), 0, "what follows");
        // What is allocated next lies elsewhere.
        bytes memory later = _filled(64, 0xcc);
        VM.assertEq(data, expected);
        VM.assertEq(earlier, _filled(64, 0xbb));
        VM.assertEq(later, _filled(64, 0xcc));
        VM.assertEq(_behind(data), 0, "what follows is kept");
    }

    function testFuzz_emit_bytes__of_any_length__is_what_emit_emits(bytes calldata data) external {
        VM.recordLogs();
        emit Emitted(data);
        bytes memory earlier = _filled(64, 0xbb);
        bytes memory copy = data; // Solidity pads it with zeros
        bytes memory later = _filled(64, 0xcc);
        LowLevel.emitBytes(Emitted.selector, copy);
        Vm.Log[] memory logs = VM.getRecordedLogs();
        VM.assertEq(logs.length, 2, "logs");
        VM.assertEq(logs[1].topics.length, 1, "topics");
        VM.assertEq(logs[1].topics[0], logs[0].topics[0]);
        VM.assertEq(logs[1].data, logs[0].data);
        VM.assertEq(copy, data);
        VM.assertEq(earlier, _filled(64, 0xbb));
        VM.assertEq(later, _filled(64, 0xcc));
    }

    /// @dev What `computeRoot` says of any queue and proof is what a walk through all pairs of siblings says, in trees of
    /// every shape, wherever the queue stands.
    function testFuzz_compute_root__any_leaves_of_any_tree__is_what_all_pairs_give(
        uint256 size,
        uint256 subset,
        bytes32 seed,
        uint8 before,
        bytes32[] calldata proof
    ) external view {
        size = 1 + size % 64;
        bytes32[] memory leaves = new bytes32[](size);
        for (uint256 i = 0; i < size; ++i) {
            leaves[i] = keccak256(abi.encode(seed, i));
        }
        bytes32[] memory nodes = SheetTree.build(leaves);
        uint256 count = 0;
        uint256[] memory chosen = new uint256[](size);
        for (uint256 i = 0; i < size; ++i) {
            if ((subset >> i) & 1 == 1) chosen[count++] = i;
        }
        if (count == 0) chosen[count++] = subset % size;
        assembly ("memory-safe") {
            mstore(chosen, count)
        }
        bytes memory queue = _filled(before, 0xaa);
        for (uint256 i = 0; i < count; ++i) {
            queue = bytes.concat(queue, abi.encode(2 * size - 1 - chosen[i], leaves[chosen[i]]));
        }
        bytes32[] memory right = SheetTree.proveMany(nodes, chosen);
        VM.assertEq(this.computeRoot(queue, before, right), nodes[0], "the right proof");
        if (keccak256(abi.encode(proof)) != keccak256(abi.encode(right))) {
            VM.assertNotEq(this.computeRoot(queue, before, proof), nodes[0]);
        }
        if (right.length > 0) {
            right[uint256(seed) % right.length] ^= bytes32(uint256(1) << (uint256(seed) >> 248));
            VM.assertNotEq(this.computeRoot(queue, before, right), nodes[0]);
        }
    }

    /// @dev Exhaustive where trees are small: every subset of the leaves, every number of elements.
    function test_compute_root__every_subset_of_small_trees__is_what_all_pairs_give() external view {
        for (uint256 size = 1; size <= 7; ++size) {
            bytes32[] memory leaves = new bytes32[](size);
            for (uint256 subset = 1; subset < 1 << size; ++subset) {
                uint256[] memory chosen = new uint256[](size);
                bytes memory queue;
                uint256 count = 0;
                for (uint256 i = 0; i < size; ++i) {
                    // Nodes of another order in every subset.
                    leaves[i] = keccak256(abi.encode(subset, i));
                    if ((subset >> i) & 1 == 0) continue;
                    chosen[count++] = i;
                    queue = bytes.concat(queue, abi.encode(2 * size - 1 - i, leaves[i]));
                }
                assembly ("memory-safe") {
                    mstore(chosen, count)
                }
                bytes32[] memory nodes = SheetTree.build(leaves);
                bytes32[] memory right = SheetTree.proveMany(nodes, chosen);
                for (uint256 length = 0; length <= right.length + 2; ++length) {
                    bytes32[] memory proof = new bytes32[](length);
                    for (uint256 i = 0; i < length; ++i) {
                        proof[i] = i < right.length ? right[i] : nodes[i % nodes.length];
                    }
                    bytes32 root = length == right.length ? nodes[0] : bytes32(0);
                    VM.assertEq(this.computeRoot(queue, 0, proof), root);
                }
            }
        }
    }

    /// @dev A proof is whole: with an element less, or one more, the root is zero, which no sheet has.
    function test_compute_root__other_number_of_elements__is_zero() external view {
        bytes32[] memory leaves = new bytes32[](700);
        for (uint256 i = 0; i < leaves.length; ++i) {
            leaves[i] = keccak256(abi.encode(i));
        }
        bytes32[] memory nodes = SheetTree.build(leaves);
        uint256[] memory chosen = new uint256[](350);
        bytes memory queue;
        for (uint256 i = 0; i < chosen.length; ++i) {
            chosen[i] = 2 * i;
            queue = bytes.concat(queue, abi.encode(1399 - 2 * i, leaves[2 * i]));
        }
        bytes32[] memory right = SheetTree.proveMany(nodes, chosen);
        VM.assertLt(256, right.length, "elements");
        VM.assertEq(this.computeRoot(queue, 0, right), nodes[0]);
        for (uint256 place = 0; place < right.length; place += 37) {
            bytes32 kept = right[place];
            right[place] = ~kept;
            VM.assertNotEq(this.computeRoot(queue, 0, right), nodes[0]);
            right[place] = kept;
        }
        bytes32[] memory longer = new bytes32[](right.length + 1);
        bytes32[] memory shorter = new bytes32[](right.length - 1);
        for (uint256 i = 0; i < right.length; ++i) {
            longer[i] = right[i];
            if (i < shorter.length) shorter[i] = right[i];
        }
        VM.assertEq(this.computeRoot(queue, 0, longer), bytes32(0), "one more");
        VM.assertEq(this.computeRoot(queue, 0, shorter), bytes32(0), "one less");
    }

    /// @notice The root that follows from the entries of `queue` from the offset `begin` on.
    function computeRoot(bytes memory queue, uint256 begin, bytes32[] calldata proof) external pure returns (bytes32) {
        uint256 from;
        assembly ("memory-safe") {
            from := add(queue, 32)
        }
        return LowLevel.computeRoot(from + begin, from + queue.length, proof);
    }

    /// @dev The places of `readBallots` are fixed, so it must not be called with anything in memory.
    function test_read_ballots__memory_used_before__reverts() external {
        bytes memory batch = _oneBallot();
        this.readBallots(batch, 0);
        for (uint256 used = 1; used < 200; used += 31) {
            (bool ok, bytes memory answer) = address(this).call(abi.encodeCall(this.readBallots, (batch, used)));
            VM.assertFalse(ok, "other memory is overwritten");
            VM.assertEq(answer.length, 0, "revert data");
        }
    }

    /// @dev What it returns is allocated, is followed by zeros, and leaves the zero word as the compiler needs it.
    function test_read_ballots__afterwards__memory_is_as_solidity_wants_it() external {
        VM.warp(2_000_000_000);
        for (uint256 length = 0; length < 70; ++length) {
            bytes memory ballot = _filled(length, 0xee);
            bytes memory batch = bytes.concat(
                abi.encodePacked(uint32(7), uint40(1_900_000_000), uint96(5), uint16(length), uint8(0)),
                hex"00",
                ballot,
                _signature()
            );
            bytes memory records = this.readBallots(batch, 0);
            VM.assertEq(
                records,
                abi.encodePacked(uint32(7), uint40(1_900_000_000), uint96(5), uint16(length), ballot),
                "records"
            );
        }
    }

    /// @notice Reads a batch with so many bytes of memory used before. Checks the memory that it leaves.
    function readBallots(bytes calldata batch, uint256 used) external view returns (bytes memory) {
        if (used > 0) _filled(used, 0xbb);
        uint256 free;
        uint256 end;
        (bytes memory records, uint256 reached, uint256 next, uint256 queueEnd, uint256 laters) =
            LowLevel.readBallots(batch, bytes32(uint256(1)), bytes32(uint256(2)), 100, 115, 70);
        assembly ("memory-safe") {
            free := mload(0x40)
            end := add(add(records, 32), mload(records))
        }
        VM.assertEq(reached, batch.length, "reached");
        VM.assertEq(next, 8, "next");
        VM.assertEq(queueEnd, LowLevel.QUEUE + 64, "queue");
        VM.assertEq(laters, 1 << 255, "laters");
        VM.assertTrue(free >= end && free < end + 64 && free % 32 == 0, "the free memory pointer");
        bytes memory empty;
        VM.assertEq(empty.length, 0, "the zero word");
        uint256 behind;
        assembly ("memory-safe") {
            behind := mload(end)
        }
        // The rest of the last word, which an event contains; nothing has been written beyond it.
        VM.assertEq(behind, 0, "what follows");
        bytes32 hash = keccak256(records);
        bytes memory later = _filled(64, 0xcc);
        VM.assertEq(keccak256(records), hash, "records are kept");
        VM.assertEq(later, _filled(64, 0xcc));
        return records;
    }

    function testFuzz_own_code__at_any_offset__is_that_of_the_code(uint256 offset, bool beyond) external view {
        bytes memory code = address(this).code;
        if (!beyond) offset %= code.length + 32;
        bytes32 expected = 0;
        for (uint256 i = 0; i < 32 && offset < code.length && offset + i < code.length; ++i) {
            expected |= bytes32(code[offset + i]) >> (8 * i);
        }
        VM.assertEq(LowLevel.ownCode(offset), expected);
    }

    function _oneBallot() private view returns (bytes memory) {
        return bytes.concat(
            abi.encodePacked(uint32(7), uint40(block.timestamp), uint96(5), uint16(1), uint8(0)),
            hex"00aa",
            _signature()
        );
    }

    /// @dev Some signature by somebody, whatever was signed.
    function _signature() private pure returns (bytes memory) {
        // The generator's x, and a small s.
        return abi.encodePacked(uint256(0x79be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798), uint256(5));
    }

    /// @dev 32 bytes, byte by byte; zero beyond the end.
    function _word(bytes calldata data, uint256 offset) private pure returns (bytes32 word) {
        for (uint256 i = 0; i < 32 && offset + i < data.length; ++i) {
            word |= bytes32(data[offset + i]) >> (8 * i);
        }
    }

    function _first(bytes32 word, uint256 count) private pure returns (bytes memory first) {
        first = new bytes(count);
        for (uint256 i = 0; i < count; ++i) {
            first[i] = word[i];
        }
    }

    function _filled(uint256 length, uint8 value) private pure returns (bytes memory data) {
        data = new bytes(length);
        for (uint256 i = 0; i < length; ++i) {
            data[i] = bytes1(value);
        }
    }

    /// @dev The word of memory behind the content.
    function _behind(bytes memory data) private pure returns (uint256 word) {
        assembly ("memory-safe") {
            word := mload(add(add(data, 32), mload(data)))
        }
    }

    /// @dev Where memory begins that is not allocated yet.
    function _freeMemory() private pure returns (uint256 pointer) {
        assembly ("memory-safe") {
            pointer := mload(0x40)
        }
    }

    /// @dev Writes what is not zero to memory that is not allocated yet.
    function _soilFreeMemory(uint256 length) private pure {
        assembly ("memory-safe") {
            let free := mload(0x40)
            for { let i := 0 } lt(i, length) { i := add(i, 32) } { mstore(add(free, i), DIRT) }
        }
    }
}
