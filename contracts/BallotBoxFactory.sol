// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {LibClone} from "solady/src/utils/LibClone.sol";

import {BallotBox} from "./BallotBox.sol";
import {IBallotBox} from "./interfaces/IBallotBox.sol";
import {ElectionParams, IBallotBoxFactory} from "./interfaces/IBallotBoxFactory.sol";
import {LowLevel} from "./libraries/LowLevel.sol";

/// @title BallotBoxFactory
/// @notice What the interface says. Deployed by the deterministic deployer, so that it has one address on all chains.
contract BallotBoxFactory is IBallotBoxFactory {
    /// At 16 bits a full box serves 50,069,504 voters.
    uint256 public constant MAX_SHEET_BITS = 16;
    /// A contract may have 24,576 bytes (EIP-170). A clone takes 45, its other arguments 70, and each root 32.
    uint256 public constant MAX_SHEETS = 764;
    /// The head that means a cancelled election, which no definition may have as its hash.
    bytes32 private constant CANCELLED_HEAD = keccak256("QBallot: cancelled");
    /// Bit 39 of a record's time marks a direct cast, so no election may last longer.
    uint256 private constant TIME_LIMIT = 1 << 39;

    /// @inheritdoc IBallotBoxFactory
    address public immutable implementation;

    constructor() {
        implementation = address(new BallotBox());
    }

    /// @inheritdoc IBallotBoxFactory
    function create(
        ElectionParams calldata params,
        bytes32[] calldata sheetRoots,
        bytes32 salt,
        bytes calldata definition
    ) external returns (address ballotBox) {
        _validate(params, sheetRoots);
        if (definition.length == 0) revert BallotBoxFactoryNoDefinition();
        bytes32 definitionHash = keccak256(definition);
        if (definitionHash == CANCELLED_HEAD) revert BallotBoxFactoryReservedDefinition();
        bool existed;
        (existed, ballotBox) = LibClone.createDeterministicClone(
            implementation, _packArguments(msg.sender, params, sheetRoots, definitionHash), _salt(msg.sender, salt)
        );
        if (existed) revert BallotBoxFactoryAlreadyCreated(ballotBox);
        IBallotBox(ballotBox).initialize();
        // What was called is a clone of our own implementation, which calls nobody: no event comes in between.
        // slither-disable-next-line reentrancy-events
        emit BallotBoxCreated(ballotBox, msg.sender, definitionHash, params, salt, definition);
    }

    /// @inheritdoc IBallotBoxFactory
    function predict(
        address organizer,
        bytes32 salt,
        ElectionParams calldata params,
        bytes32[] calldata sheetRoots,
        bytes32 definitionHash
    ) external view returns (address) {
        return LibClone.predictDeterministicAddress(
            implementation,
            _packArguments(organizer, params, sheetRoots, definitionHash),
            _salt(organizer, salt),
            address(this)
        );
    }

    function _validate(ElectionParams calldata params, bytes32[] calldata sheetRoots) private view {
        if (block.timestamp >= params.opensAt || params.opensAt >= params.closesAt || params.closesAt >= TIME_LIMIT) {
            revert BallotBoxFactoryInvalidWindow(block.timestamp, params.opensAt, params.closesAt);
        }
        if (params.sheetBits > MAX_SHEET_BITS) {
            revert BallotBoxFactoryInvalidSheetBits(params.sheetBits, MAX_SHEET_BITS);
        }
        if (params.voters == 0) revert BallotBoxFactoryNoVoters();
        if (params.maxBallotBytes == 0) revert BallotBoxFactoryNoBallotBytes();
        uint256 sheets = ((uint256(params.voters) - 1) >> params.sheetBits) + 1;
        if (sheetRoots.length != sheets) revert BallotBoxFactoryWrongSheetCount(sheetRoots.length, sheets);
        if (sheets > MAX_SHEETS) revert BallotBoxFactoryTooManySheets(sheets, MAX_SHEETS);
        unchecked {
            // `sheet` stays below `sheets`, the array's length.
            for (uint256 sheet = 0; sheet < sheets; ++sheet) {
                if (LowLevel.load(sheetRoots, sheet) == 0) revert BallotBoxFactoryZeroSheetRoot(sheet);
            }
        }
    }

    /// @dev The layout that libraries/BoxArguments.sol reads.
    function _packArguments(
        address organizer,
        ElectionParams calldata params,
        bytes32[] calldata sheetRoots,
        bytes32 definitionHash
    ) private pure returns (bytes memory) {
        return abi.encodePacked(
            definitionHash,
            organizer,
            params.opensAt,
            params.closesAt,
            params.sheetBits,
            params.voters,
            params.maxBallotBytes,
            params.textBallots,
            sheetRoots
        );
    }

    /// @dev The organizer is part of the salt, so that nobody can take another's address by being first.
    function _salt(address organizer, bytes32 salt) private pure returns (bytes32) {
        return keccak256(abi.encode(organizer, salt));
    }
}
