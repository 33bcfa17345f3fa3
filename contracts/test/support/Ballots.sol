// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {VM} from "../Vm.sol";

/// @notice A record taken apart.
struct Record {
    uint256 voter;
    uint256 castAt;
    uint256 weight;
    bytes ballot;
}

/// @title Ballots: records, signatures and the chain of hashes, from the specification's words alone
library Ballots {
    /// @dev The order of secp256k1.
    uint256 internal constant CURVE_ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141;
    /// @dev Bit 39, which marks a direct cast.
    uint256 internal constant DIRECT = 0x8000000000;

    /// @notice A packed record.
    function pack(uint256 voter, uint256 castAt, uint256 weight, bytes memory ballot)
        internal
        pure
        returns (bytes memory)
    {
        return abi.encodePacked(uint32(voter), uint40(castAt), uint96(weight), uint16(ballot.length), ballot);
    }

    /// @notice The records of a batch. Reverts unless they fill it exactly.
    function unpack(bytes memory records) internal pure returns (Record[] memory list) {
        uint256 count = 0;
        uint256 offset = 0;
        for (; offset < records.length; offset += 23 + _integer(records, offset + 21, 2)) {
            ++count;
        }
        list = new Record[](count);
        offset = 0;
        for (uint256 i = 0; i < count; ++i) {
            list[i].voter = _integer(records, offset, 4);
            list[i].castAt = _integer(records, offset + 4, 5);
            list[i].weight = _integer(records, offset + 9, 12);
            list[i].ballot = new bytes(_integer(records, offset + 21, 2));
            for (uint256 j = 0; j < list[i].ballot.length; ++j) {
                list[i].ballot[j] = records[offset + 23 + j];
            }
            offset += 23 + list[i].ballot.length;
        }
    }

    /// @notice One link of the chain.
    function advance(bytes32 head, bytes memory records) internal pure returns (bytes32) {
        return keccak256(abi.encode(head, keccak256(records)));
    }

    /// @notice The EIP-712 digest of a ballot for one box on one chain.
    function digest(uint256 chainId, address box, uint256 voter, uint256 castAt, bytes memory ballot)
        internal
        pure
        returns (bytes32)
    {
        bytes32 domain = keccak256(
            abi.encode(
                keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"),
                keccak256("QBallot"),
                keccak256("1"),
                chainId,
                box
            )
        );
        bytes32 message = keccak256(
            abi.encode(keccak256("Ballot(uint32 voter,uint40 castAt,bytes ballot)"), voter, castAt, keccak256(ballot))
        );
        return keccak256(abi.encodePacked(hex"1901", domain, message));
    }

    /// @notice A compact signature (EIP-2098): r, then s with the parity in its top bit.
    function sign(uint256 privateKey, bytes32 hash) internal pure returns (bytes memory) {
        (uint8 v, bytes32 r, bytes32 s) = VM.sign(privateKey, hash);
        return abi.encodePacked(r, bytes32((uint256(v - 27) << 255) | uint256(s)));
    }

    function _integer(bytes memory data, uint256 offset, uint256 size) private pure returns (uint256 value) {
        for (uint256 i = 0; i < size; ++i) {
            value = (value << 8) | uint8(data[offset + i]);
        }
    }
}
