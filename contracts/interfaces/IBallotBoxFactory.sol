// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @notice What an organizer decides about the box itself; everything else is in the definition.
struct ElectionParams {
    /// First second in which ballots are taken (unix time).
    uint40 opensAt;
    /// First second in which ballots are taken no more (unix time), below 2**39.
    uint40 closesAt;
    /// A sheet holds 2**sheetBits voters; at most 16.
    uint8 sheetBits;
    /// Number of voters in the census, at least 1.
    uint32 voters;
    /// Most bytes that a ballot may have, at least 1.
    uint16 maxBallotBytes;
    /// Whether voters sign their ballots as text.
    bool textBallots;
}

/// @title BallotBoxFactory: makes elections whose address proves their rules
/// @notice Every box stands at CREATE2(this factory, keccak256(abi.encode(organizer, salt)), clone init code), so its
/// address proves the code that made it and the arguments in it. The factory has no owner and no storage.
interface IBallotBoxFactory {
    /// @notice An election was created. With the box's own code, which holds the sheet roots, this is all that is
    /// needed to recompute the box's address.
    /// @param ballotBox The new box.
    /// @param organizer Who created it and may cancel it before the opening.
    /// @param definitionHash keccak256 of `definition`.
    /// @param params The box's window and sizes.
    /// @param salt As given by the organizer.
    /// @param definition The election's definition (RFC 8785 JSON), whole.
    event BallotBoxCreated(
        address indexed ballotBox,
        address indexed organizer,
        bytes32 indexed definitionHash,
        ElectionParams params,
        bytes32 salt,
        bytes definition
    );

    /// @notice The window must satisfy `timestamp < opensAt < closesAt < 2**39`.
    error BallotBoxFactoryInvalidWindow(uint256 timestamp, uint256 opensAt, uint256 closesAt);
    /// @notice `sheetBits` is too large.
    error BallotBoxFactoryInvalidSheetBits(uint256 sheetBits, uint256 maxSheetBits);
    /// @notice An election needs voters.
    error BallotBoxFactoryNoVoters();
    /// @notice An election needs ballots of at least one byte.
    error BallotBoxFactoryNoBallotBytes();
    /// @notice An election needs a definition.
    error BallotBoxFactoryNoDefinition();
    /// @notice The definition's hash is the head of a cancelled election: the box would be born cancelled.
    error BallotBoxFactoryReservedDefinition();
    /// @notice There must be exactly one root per sheet.
    error BallotBoxFactoryWrongSheetCount(uint256 found, uint256 expected);
    /// @notice The roots do not fit into a contract's code; larger sheets are fewer.
    error BallotBoxFactoryTooManySheets(uint256 sheets, uint256 maxSheets);
    /// @notice A sheet's root is zero.
    error BallotBoxFactoryZeroSheetRoot(uint256 sheet);
    /// @notice The same organizer made the same election with the same salt before.
    error BallotBoxFactoryAlreadyCreated(address ballotBox);

    /// @notice Create an election. The caller becomes its organizer.
    /// @param params The window and sizes.
    /// @param sheetRoots Merkle roots of sheet 0, 1, …; ceil(voters / 2**sheetBits) of them, none zero.
    /// @param salt Any value; tells two otherwise equal elections of one organizer apart.
    /// @param definition The election's definition; its hash becomes the first head.
    /// @return ballotBox The new box's address.
    function create(
        ElectionParams calldata params,
        bytes32[] calldata sheetRoots,
        bytes32 salt,
        bytes calldata definition
    ) external returns (address ballotBox);

    /// @notice The address that `create` gives these arguments if it accepts them.
    function predict(
        address organizer,
        bytes32 salt,
        ElectionParams calldata params,
        bytes32[] calldata sheetRoots,
        bytes32 definitionHash
    ) external view returns (address);

    /// @notice The contract whose code all boxes run: created by this factory's constructor.
    function implementation() external view returns (address);
}
