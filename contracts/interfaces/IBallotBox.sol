// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @title BallotBox: one election's ballots, kept as the head of a hash chain
/// @notice A box takes ballots while its window is open and emits them. It counts nothing and remembers nobody: its
/// whole storage is one 32-byte `head`, and which of a voter's ballots counts is a rule of the tally (README.md).
///
/// A *record* is what the chain of hashes is made of, packed big-endian:
///
///     uint32 voter | uint40 castAt | uint96 weight | uint16 length | ballot (length bytes)
///
/// A *batch* is the records of one call, one after another: one call is one event is one link of the chain,
/// `head = keccak256(abi.encode(head, keccak256(records)))`.
///
/// The box's rules are arguments in its own code (a clone with immutable arguments made by the factory): see
/// libraries/BoxArguments.sol for their layout.
interface IBallotBox {
    /// @notice Ballots were cast.
    /// @param records One batch: packed records, one for a direct cast, one per voter for signed ballots.
    event BallotsCast(bytes records);

    /// @notice The organizer cancelled the election before its opening. No ballot was or will be cast.
    event BallotBoxCancelled();

    /// @notice `account` is not a clone with immutable arguments: the implementation is not a box.
    error BallotBoxNotAClone(address account);
    /// @notice The box was initialized before; `head` is what it holds.
    error BallotBoxAlreadyInitialized(bytes32 head);
    /// @notice The box was never initialized, so it is not one that the factory made.
    error BallotBoxNotInitialized();
    /// @notice The election was cancelled.
    error BallotBoxElectionCancelled();
    /// @notice Ballots are taken while `opensAt <= timestamp < closesAt` (unix seconds).
    error BallotBoxNotOpen(uint256 timestamp, uint256 opensAt, uint256 closesAt);
    /// @notice The election has opened: nobody can cancel it any more.
    error BallotBoxAlreadyOpened(uint256 timestamp, uint256 opensAt);
    /// @notice Only the organizer may cancel.
    error BallotBoxNotOrganizer(address caller, address organizer);
    /// @notice Voters have the indices 0 … voters - 1.
    error BallotBoxVoterOutOfRange(uint256 voter, uint256 voters);
    /// @notice Sheets have the indices 0 … sheets - 1.
    error BallotBoxSheetOutOfRange(uint256 sheet, uint256 sheets);
    /// @notice The ballot has more bytes than the election allows.
    error BallotBoxBallotTooLong(uint256 voter, uint256 length, uint256 maxBallotBytes);
    /// @notice The proof does not lead from this voter, account and weight to the sheet's root.
    error BallotBoxNotInCensus(uint256 voter, address account, uint256 weight);
    /// @notice A batch needs at least one ballot.
    error BallotBoxEmptyBatch();
    /// @notice The base or ballot that begins at `offset` does not end within the packed batch's `length` bytes.
    error BallotBoxTruncatedBatch(uint256 offset, uint256 length);
    /// @notice The base or ballot that begins at `offset` of the packed batch is not in its one form
    /// (libraries/Batch.sol).
    error BallotBoxNonCanonicalBatch(uint256 offset);
    /// @notice All voters of a batch belong to the sheet of its first one.
    error BallotBoxVoterOutsideSheet(uint256 voter, uint256 sheet);
    /// @notice A signed ballot is dated `opensAt <= castAt <= timestamp`. If the earliest `castAt` of a batch is wrong,
    /// `voter` is the batch's first.
    error BallotBoxCastAtOutsideWindow(uint256 voter, uint256 castAt, uint256 opensAt, uint256 timestamp);
    /// @notice No account signed this: the signature is malformed or malleable.
    error BallotBoxInvalidSignature(uint256 voter);
    /// @notice The signers, weights and proof of this batch do not lead to the sheet's root: a signature is not by the
    /// census's account, a weight is not the census's, or the proof is wrong.
    error BallotBoxBatchNotInCensus(uint256 sheet);

    /// @notice Start the chain of hashes at the definition's hash. Called by the factory in the transaction that
    /// creates the box; whoever else calls it changes nothing.
    function initialize() external;

    /// @notice Cast the caller's own ballot. It outranks every signed ballot of the same voter.
    /// @param voter The caller's index in the census.
    /// @param weight The caller's weight in the census.
    /// @param ballot The ballot's bytes, in the form that the definition asks for; not interpreted here.
    /// @param proof Merkle proof of (voter, caller, weight) against the root of the voter's sheet.
    function cast(uint32 voter, uint96 weight, bytes calldata ballot, bytes32[] calldata proof) external;

    /// @notice Cast ballots that voters of one sheet signed (EIP-712, `Ballot(uint32 voter,uint40 castAt,bytes
    /// ballot)`, or `string ballot` where `textBallots`). Anyone may bring them. Bringing one twice does nothing, since
    /// an exact repeat of a record does not count.
    /// @param batch The ballots and their compact signatures (EIP-2098), packed as libraries/Batch.sol says, strictly
    /// ascending by voter.
    /// @param proof One Merkle multiproof for all voters of the batch and their sheet's root (libraries/Census.sol).
    function castSigned(bytes calldata batch, bytes32[] calldata proof) external;

    /// @notice Cancel the election. Only the organizer, only before the opening.
    function cancel() external;

    /// @notice Head of the chain over all batches: the definition's hash at first, `CANCELLED_HEAD` once cancelled.
    function head() external view returns (bytes32);

    /// @notice keccak256 of the definition's bytes, which stand in the factory's event.
    function definitionHash() external view returns (bytes32);

    /// @notice Account that created the election and may cancel it before the opening.
    function organizer() external view returns (address);

    /// @notice First second in which ballots are taken (unix time).
    function opensAt() external view returns (uint40);

    /// @notice First second in which ballots are taken no more (unix time).
    function closesAt() external view returns (uint40);

    /// @notice A sheet holds 2**sheetBits consecutive voters, the last one what is left.
    function sheetBits() external view returns (uint8);

    /// @notice Number of voters in the census.
    function voters() external view returns (uint32);

    /// @notice Most bytes that a ballot may have.
    function maxBallotBytes() external view returns (uint16);

    /// @notice Whether voters sign their ballots as text, so that wallets show them: the type of the signed `ballot` is
    /// `string` instead of `bytes`. The box does not look at a ballot's content.
    function textBallots() external view returns (bool);

    /// @notice Number of sheets.
    function sheetCount() external view returns (uint256);

    /// @notice Merkle root over the voters of a sheet.
    function sheetRoot(uint256 sheet) external view returns (bytes32);

    /// @notice The EIP-712 digest that a voter signs.
    function hashBallot(uint32 voter, uint40 castAt, bytes calldata ballot) external view returns (bytes32);

    /// @notice The signing domain, in the form of EIP-5267.
    function eip712Domain()
        external
        view
        returns (
            bytes1 fields,
            string memory name,
            string memory version,
            uint256 chainId,
            address verifyingContract,
            bytes32 salt,
            uint256[] memory extensions
        );
}
