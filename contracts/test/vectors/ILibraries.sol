// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @title Those functions of the contracts' libraries that vectors say something about
interface ILibraries {
    /// @notice libraries/Records.sol
    function parseHeader(bytes32 word)
        external
        pure
        returns (uint256 voter, uint256 castAt, uint256 weight, uint256 length);

    /// @notice libraries/Records.sol
    function packDirect(uint256 voter, uint256 weight, bytes calldata ballot) external view returns (bytes memory);

    /// @notice libraries/Census.sol
    function hashLeaf(uint256 voter, address account, uint256 weight) external pure returns (bytes32);

    /// @notice libraries/LowLevel.sol; `queue` holds the entries.
    function computeRoot(bytes memory queue, bytes32[] calldata proof) external pure returns (bytes32);
}
