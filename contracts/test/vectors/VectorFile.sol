// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @notice The cheat codes of forge that only the vectors need.
interface VectorVm {
    function readFile(string calldata path) external view returns (string memory);
    function keyExistsJson(string calldata json, string calldata key) external view returns (bool);
    function parseJson(string calldata json, string calldata key) external pure returns (bytes memory);
    function parseJsonUint(string calldata json, string calldata key) external pure returns (uint256);
    function parseJsonUintArray(string calldata json, string calldata key) external pure returns (uint256[] memory);
    function parseJsonBool(string calldata json, string calldata key) external pure returns (bool);
    function parseJsonAddress(string calldata json, string calldata key) external pure returns (address);
    function parseJsonBytes(string calldata json, string calldata key) external pure returns (bytes memory);
    function parseJsonBytes32(string calldata json, string calldata key) external pure returns (bytes32);
    function parseJsonBytes32Array(string calldata json, string calldata key) external pure returns (bytes32[] memory);
    function toString(uint256 value) external pure returns (string memory);
    function setNonceUnsafe(address account, uint64 nonce) external;
}

/// @dev Where forge answers them.
VectorVm constant VECTOR_VM = VectorVm(0x7109709ECfa91a80626fF3989D68f67F5b1DD12D);

/// @notice A place in a file of vectors.
struct Vector {
    string json;
    string path;
}

/// @title Vectors: the files of tests/vectors that everything that computes is checked against
library Vectors {
    /// @notice The whole of a file.
    function open(string memory name) internal view returns (Vector memory) {
        return Vector(VECTOR_VM.readFile(string.concat("tests/vectors/", name)), "");
    }

    /// @notice The elements of a list. Reverts if there are none: a test of nothing would pass.
    function list(Vector memory self, string memory key) internal view returns (Vector[] memory elements) {
        elements = listIfAny(self, key);
        require(elements.length > 0, string.concat("no elements in ", _path(self, key)));
    }

    /// @notice The elements of a list that may have none.
    function listIfAny(Vector memory self, string memory key) internal view returns (Vector[] memory elements) {
        uint256 count = 0;
        while (VECTOR_VM.keyExistsJson(self.json, _element(self, key, count))) {
            ++count;
        }
        elements = new Vector[](count);
        for (uint256 i = 0; i < count; ++i) {
            elements[i] = Vector(self.json, _element(self, key, i));
        }
    }

    /// @notice What stands under a key.
    function member(Vector memory self, string memory key) internal pure returns (Vector memory) {
        return Vector(self.json, _path(self, key));
    }

    function number(Vector memory self, string memory key) internal pure returns (uint256) {
        return VECTOR_VM.parseJsonUint(self.json, _path(self, key));
    }

    function numbers(Vector memory self, string memory key) internal pure returns (uint256[] memory) {
        return VECTOR_VM.parseJsonUintArray(self.json, _path(self, key));
    }

    function flag(Vector memory self, string memory key) internal pure returns (bool) {
        return VECTOR_VM.parseJsonBool(self.json, _path(self, key));
    }

    /// @notice Whether null stands there, and no number but zero.
    function isNull(Vector memory self, string memory key) internal pure returns (bool) {
        return bytes32(VECTOR_VM.parseJson(self.json, _path(self, key))) == 0;
    }

    function account(Vector memory self, string memory key) internal pure returns (address) {
        return VECTOR_VM.parseJsonAddress(self.json, _path(self, key));
    }

    function data(Vector memory self, string memory key) internal pure returns (bytes memory) {
        return VECTOR_VM.parseJsonBytes(self.json, _path(self, key));
    }

    function word(Vector memory self, string memory key) internal pure returns (bytes32) {
        return VECTOR_VM.parseJsonBytes32(self.json, _path(self, key));
    }

    function words(Vector memory self, string memory key) internal pure returns (bytes32[] memory) {
        return VECTOR_VM.parseJsonBytes32Array(self.json, _path(self, key));
    }

    function _path(Vector memory self, string memory key) private pure returns (string memory) {
        return string.concat(self.path, ".", key);
    }

    function _element(Vector memory self, string memory key, uint256 i) private pure returns (string memory) {
        return string.concat(_path(self, key), "[", VECTOR_VM.toString(i), "]");
    }
}
