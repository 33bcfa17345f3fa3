// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IBallotBox} from "../../interfaces/IBallotBox.sol";
import {ElectionParams, IBallotBoxFactory} from "../../interfaces/IBallotBoxFactory.sol";
import {VM, Vm} from "../Vm.sol";
import {Ballots, Record} from "../support/Ballots.sol";
import {Electorate, Electorates} from "../support/Electorate.sol";
import {Election, Model} from "./Model.sol";

/// @title Handler: what the world may do to the boxes, in any order
/// @notice Every action is tried on a box and judged by the model: it succeeds exactly when the model says so, and every
/// log is taken into the model's chain. An action that surprises the model reverts, which fails the run.
contract Handler {
    using Electorates for Electorate;
    using Model for Election;

    /// Actions meet the newest elections: older ones have mostly ended.
    uint256 private constant RECENT = 3;
    uint256 private constant START = 1_800_000_000;

    IBallotBoxFactory private immutable _factory;
    Election[] private _elections;
    uint256 private _clock = START;

    /// How many direct casts, batches, cancellations and refusals there were: a run of none proves nothing.
    uint256 public casts;
    uint256 public batches;
    uint256 public cancellations;
    uint256 public refusals;

    constructor(IBallotBoxFactory factory) {
        _factory = factory;
        create(0, 2);
    }

    /// @dev Each action begins at the handler's own time, for a run does not keep the chain's.
    modifier onClock() {
        VM.warp(_clock);
        _;
    }

    // Actions

    /// @notice Now and then a new election of 1 to 12 voters, soon open, by one of two organizers.
    function create(uint256 seed, uint256 sheetBits) public onClock {
        if (seed % 3 != 0) return;
        Election memory election = _draw(seed, sheetBits % 4);
        ElectionParams memory params = ElectionParams({
            opensAt: uint40(election.opensAt),
            closesAt: uint40(election.closesAt),
            sheetBits: uint8(election.sheetBits),
            voters: uint32(election.voters),
            maxBallotBytes: uint16(election.maxBallotBytes),
            textBallots: election.textBallots
        });
        bytes memory definition = abi.encode(seed);
        VM.prank(election.organizer);
        election.box = _factory.create(params, _electorate(election).roots(), bytes32(_elections.length), definition);
        election.head = keccak256(definition);
        _elections.push(election);
    }

    /// @notice Time passes: mostly seconds, sometimes to an edge of an election's window.
    function warp(uint256 choice, uint256 time) external {
        Election memory election = _pick(choice);
        uint256 edge = time % 8 < 3 ? election.opensAt : election.closesAt;
        if (time % 8 < 4 && edge > _clock) _clock = edge - (time / 8) % 2;
        else _clock += time % 40;
    }

    /// @notice A voter casts directly; `flaw` says what is wrong with it, mostly nothing.
    function cast(uint256 choice, uint256 voter, bytes32 ballotSeed, uint256 flaw) external onClock {
        Election memory election = _pick(choice);
        Electorate memory electorate = _electorate(election);
        voter %= election.voters;
        Record memory record =
            Record(voter, Ballots.DIRECT + _clock, electorate.weights[voter], _ballot(election, ballotSeed));
        bytes32[] memory proof = electorate.prove(voter);
        address sender = electorate.accounts[voter];
        flaw %= 12;
        if (flaw == 0) record.weight += 1;
        if (flaw == 1) record.ballot = new bytes(election.maxBallotBytes + 1);
        if (flaw == 2) sender = election.organizer;
        if (flaw == 3) record.voter = election.voters;
        if (flaw == 4) proof = _longer(proof);
        bool allowed = flaw > 4 && election.isOpen(_clock);
        bytes memory call =
            abi.encodeCall(IBallotBox.cast, (uint32(record.voter), uint96(record.weight), record.ballot, proof));
        bytes memory packed = Ballots.pack(record.voter, record.castAt, record.weight, record.ballot);
        if (_attempt(choice, sender, call, allowed, packed)) ++casts;
    }

    /// @notice Someone brings signed ballots of a sheet; `flaw` says what is wrong with one of them, mostly nothing.
    function castSigned(uint256 choice, uint256 sheet, uint256 subset, bytes32 seed, uint256 flaw) external onClock {
        Election memory election = _pick(choice);
        Electorate memory electorate = _electorate(election);
        uint256[] memory voters = _voters(election, sheet % electorate.sheets.length, subset);
        flaw %= 16;
        bool allowed = flaw > 8 && voters.length > 0 && election.isOpen(_clock);
        bytes memory signed;
        bytes memory records;
        for (uint256 i = 0; i < voters.length; ++i) {
            Record memory record = _drawRecord(election, electorate, voters[i], keccak256(abi.encode(seed, i)));
            if (record.castAt < election.opensAt || record.castAt > _clock) allowed = false;
            uint256 key = Electorates.key(voters[i]);
            if (i == uint256(seed) % voters.length) key = _spoil(election, record, key, flaw);
            bytes memory packed = Ballots.pack(record.voter, record.castAt, record.weight, record.ballot);
            bytes32 digest = Ballots.digest(
                election.textBallots,
                flaw == 6 ? VM.getChainId() + 1 : VM.getChainId(),
                flaw == 7 ? address(this) : election.box,
                record.voter,
                record.castAt,
                record.ballot
            );
            records = bytes.concat(records, packed);
            signed = bytes.concat(signed, packed, Ballots.sign(key, digest));
        }
        bytes32[] memory proof = voters.length == 0 ? new bytes32[](0) : electorate.proveMany(voters);
        if (flaw == 8) proof = _longer(proof);
        bytes memory call = abi.encodeCall(IBallotBox.castSigned, (Ballots.packBatch(signed), proof));
        if (_attempt(choice, address(this), call, allowed, records)) ++batches;
    }

    /// @notice Anyone, the organizer too, tries to cancel.
    function cancel(uint256 choice, uint256 caller) external onClock {
        Election memory election = _pick(choice);
        address sender = caller % 8 == 0 ? election.organizer : address(uint160(caller));
        bool allowed = election.mayCancel(sender, _clock);
        VM.prank(sender);
        (bool ok,) = election.box.call(abi.encodeCall(IBallotBox.cancel, ()));
        VM.assertEq(ok, allowed, "cancel");
        if (!ok) return;
        ++cancellations;
        Election storage kept = _elections[_index(choice)];
        kept.cancelled = true;
        kept.head = keccak256("QBallot: cancelled");
    }

    /// @notice Anyone, the organizer too, sends anything to any function that writes. None of it is a ballot.
    function meddle(uint256 choice, uint256 caller, bytes calldata garbage) external onClock {
        Election memory election = _pick(choice);
        bytes4[4] memory selectors = [
            IBallotBox.initialize.selector,
            IBallotBox.cast.selector,
            IBallotBox.castSigned.selector,
            caller % 2 == 0 ? bytes4(bytes32(caller)) : IBallotBox.initialize.selector
        ];
        if (selectors[caller % 4] == IBallotBox.cancel.selector) return;
        address sender = caller % 3 == 0 ? election.organizer : address(uint160(caller));
        VM.recordLogs();
        VM.prank(sender);
        (bool ok,) = election.box.call(bytes.concat(selectors[caller % 4], garbage));
        VM.assertEq(VM.getRecordedLogs().length, 0, "a log of garbage");
        VM.assertTrue(!ok || caller % 4 == 3, "garbage succeeds");
    }

    // What the invariants look at

    /// @notice How many elections there are.
    function count() external view returns (uint256) {
        return _elections.length;
    }

    /// @notice The model of an election.
    function model(uint256 index) external view returns (Election memory) {
        return _elections[index];
    }

    /// @dev Makes a call that casts. It must succeed exactly if allowed, with the one event of these records.
    function _attempt(uint256 choice, address sender, bytes memory call, bool allowed, bytes memory records)
        private
        returns (bool ok)
    {
        Election storage election = _elections[_index(choice)];
        VM.recordLogs();
        VM.prank(sender);
        (ok,) = election.box.call(call);
        Vm.Log[] memory logs = VM.getRecordedLogs();
        VM.assertEq(ok, allowed, "in or not");
        VM.assertEq(logs.length, ok ? 1 : 0, "logs");
        if (!ok) {
            ++refusals;
            return false;
        }
        bytes memory emitted = abi.decode(logs[0].data, (bytes));
        VM.assertEq(emitted, records, "records");
        Record[] memory list = Ballots.unpack(emitted);
        for (uint256 i = 0; i < list.length; ++i) {
            VM.assertTrue(election.isAllowed(list[i], _clock), "a record that must not be in");
            VM.assertTrue(i == 0 || list[i].voter > list[i - 1].voter, "order");
            VM.assertEq(list[i].voter >> election.sheetBits, list[0].voter >> election.sheetBits, "sheet");
        }
        election.head = Ballots.advance(election.head, emitted);
    }

    /// @dev Makes a record or its key wrong in the way that `flaw` says. Returns the key to sign with.
    function _spoil(Election memory election, Record memory record, uint256 key, uint256 flaw)
        private
        view
        returns (uint256)
    {
        if (flaw == 0) record.weight ^= 1;
        if (flaw == 1) record.ballot = new bytes(election.maxBallotBytes + 1);
        if (flaw == 2) record.castAt = _clock + 1;
        if (flaw == 3) record.castAt = _clock | Ballots.DIRECT;
        if (flaw == 4) record.castAt = election.opensAt - 1;
        return flaw == 5 ? key + 1 : key;
    }

    function _draw(uint256 seed, uint256 sheetBits) private view returns (Election memory election) {
        bytes32 drawn = keccak256(abi.encode(seed));
        election.organizer = address(uint160(0x1000 + uint8(drawn[0]) % 2));
        election.opensAt = _clock + 1 + uint8(drawn[1]) % 60;
        election.closesAt = election.opensAt + 1 + 16 * uint256(uint8(drawn[2]));
        election.sheetBits = sheetBits;
        election.voters = 1 + uint8(drawn[3]) % 12;
        election.maxBallotBytes = 1 + uint8(drawn[4]) % 40;
        election.textBallots = uint8(drawn[5]) % 2 == 0;
    }

    /// @dev A signed record dated about now: seldom before the opening or after now.
    function _drawRecord(Election memory election, Electorate memory electorate, uint256 voter, bytes32 seed)
        private
        view
        returns (Record memory)
    {
        uint256 castAt = uint8(seed[31]) % 32 == 0 ? _clock + uint8(seed[30]) % 2 : _clock;
        uint256 earlier = uint8(seed[29]) % 64;
        if (castAt >= election.opensAt + earlier) castAt -= earlier;
        return Record(voter, castAt, electorate.weights[voter], _ballot(election, seed));
    }

    function _electorate(Election memory election) private pure returns (Electorate memory) {
        return Electorates.make(election.voters, election.sheetBits).seal();
    }

    function _pick(uint256 choice) private view returns (Election memory) {
        return _elections[_index(choice)];
    }

    function _index(uint256 choice) private view returns (uint256) {
        uint256 recent = _elections.length < RECENT ? _elections.length : RECENT;
        return _elections.length - 1 - choice % recent;
    }

    function _ballot(Election memory election, bytes32 seed) private pure returns (bytes memory ballot) {
        ballot = new bytes(uint256(seed) % (election.maxBallotBytes + 1));
        for (uint256 i = 0; i < ballot.length; ++i) {
            ballot[i] = seed[i % 32];
        }
    }

    /// @dev The voters of a sheet whose bits are set.
    function _voters(Election memory election, uint256 sheet, uint256 subset)
        private
        pure
        returns (uint256[] memory voters)
    {
        uint256 start = sheet << election.sheetBits;
        uint256 size = election.voters - start;
        if (size > 1 << election.sheetBits) size = 1 << election.sheetBits;
        uint256 chosen = 0;
        for (uint256 i = 0; i < size; ++i) {
            chosen += (subset >> i) & 1;
        }
        voters = new uint256[](chosen);
        for (uint256 i = size; i > 0; --i) {
            if ((subset >> (i - 1)) & 1 == 1) voters[--chosen] = start + i - 1;
        }
    }

    function _longer(bytes32[] memory list) private pure returns (bytes32[] memory longer) {
        longer = new bytes32[](list.length + 1);
        for (uint256 i = 0; i < list.length; ++i) {
            longer[i] = list[i];
        }
    }
}
