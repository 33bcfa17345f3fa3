// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {LowLevel} from "../libraries/LowLevel.sol";
import {VM, Vm} from "./Vm.sol";

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

    function testFuzz_copy_and_hash_tail__any_part__is_copied_and_hashed(
        bytes calldata data,
        uint256 from,
        uint256 to,
        uint256 skip,
        uint8 position,
        uint8 behind
    ) external pure {
        to %= data.length + 1;
        from %= to + 1;
        skip %= to - from + 1;
        bytes memory target = _filled(position + (to - from) + behind, 0xaa);
        bytes memory neighbour = _filled(64, 0xbb);
        bytes32 hash = LowLevel.copyAndHashTail(target, position, data, from, to, skip);
        VM.assertEq(hash, keccak256(data[from + skip:to]));
        VM.assertEq(target, bytes.concat(_filled(position, 0xaa), data[from:to], _filled(behind, 0xaa)));
        VM.assertEq(neighbour, _filled(64, 0xbb));
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
        VM.assertEq(LowLevel.begin(data), free + 32, "memory is left out before it");
        VM.assertLt(freeAfter, LowLevel.begin(data) + data.length + 64, "memory is left out behind it");
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

    function testFuzz_truncate__to_any_length__keeps_the_beginning(bytes calldata data, uint256 length) external pure {
        length %= data.length + 1;
        bytes memory copy = data;
        LowLevel.truncate(copy, length);
        VM.assertEq(copy, bytes(data[:length]));
    }

    function testFuzz_read__of_any_bytes__is_what_they_decode_to(uint256 first, bytes32 second, bytes calldata tail)
        external
        pure
    {
        bytes memory data = bytes.concat(abi.encode(first, second), tail);
        (uint256 readFirst, bytes32 readSecond) = LowLevel.read(LowLevel.begin(data));
        VM.assertEq(readFirst, first);
        VM.assertEq(readSecond, second);
    }

    function testFuzz_write__between_any_bytes__is_what_encoding_gives(
        uint256 first,
        bytes32 second,
        uint8 before,
        uint8 behind
    ) external pure {
        bytes memory data = _filled(uint256(before) + 64 + behind, 0xaa);
        LowLevel.write(LowLevel.begin(data) + before, first, second);
        VM.assertEq(data, bytes.concat(_filled(before, 0xaa), abi.encode(first, second), _filled(behind, 0xaa)));
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
