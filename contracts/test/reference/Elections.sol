// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {VM} from "../Vm.sol";
import {Ballots, Record, SignedRecord} from "../support/Ballots.sol";
import {Electorates} from "../support/Electorate.sol";
import {SheetTree} from "../support/SheetTree.sol";
import {Dice, Rolls} from "./Dice.sol";

/// @notice An election of one sheet that matters, and a batch of signed ballots for it.
struct Drawn {
    uint256 opensAt;
    uint256 closesAt;
    uint256 time;
    uint256 sheetBits;
    uint256 sheet;
    uint256 size;
    uint256 voters;
    uint256 maxBallotBytes;
    bool text;
    /// The sheet's tree.
    bytes32[] nodes;
    /// Weights of the sheet's voters.
    uint96[] weights;
    /// Places in the sheet of those who vote, and their ballots.
    uint256[] places;
    SignedRecord[] list;
}

/// @title DrawnElections: elections of every kind, in which the i-th voter of the sheet has the i-th test key
library DrawnElections {
    using DrawnElections for Drawn;
    using Rolls for Dice;

    /// @notice An election of so many voters in the sheet that matters, without ballots.
    function draw(Dice memory dice, address[] memory accounts, uint256 size)
        internal
        pure
        returns (Drawn memory election)
    {
        election.size = size;
        while (1 << election.sheetBits < election.size) {
            ++election.sheetBits;
        }
        election.sheet = dice.roll(4);
        uint256 full = 1 << election.sheetBits;
        if (dice.roll(4) == 0 && election.sheetBits < 14) ++election.sheetBits;
        full = 1 << election.sheetBits;
        election.voters = election.sheet * full + election.size;
        // Whole sheets may have others behind them.
        if (election.size == full) election.voters += dice.roll(2) * full;
        // Times of all widths.
        election.opensAt = dice.number(38);
        election.time = election.opensAt + dice.number(38);
        election.closesAt = election.time + 1 + dice.number(32);
        election.maxBallotBytes = 1 + dice.number(dice.roll(20) == 0 ? 16 : 6);
        if (election.maxBallotBytes > type(uint16).max) election.maxBallotBytes = type(uint16).max;
        election.text = dice.roll(2) == 0;
        election.weights = new uint96[](election.size);
        uint256 common = 1 + dice.number(95);
        bool equal = dice.roll(2) == 0;
        bytes32[] memory leaves = new bytes32[](election.size);
        for (uint256 i = 0; i < election.size; ++i) {
            election.weights[i] = uint96(equal ? common : dice.number(96));
            leaves[i] = SheetTree.hashLeaf(election.first() + i, accounts[i], election.weights[i]);
        }
        election.nodes = SheetTree.build(leaves);
    }

    /// @notice The first voter of the sheet.
    function first(Drawn memory election) internal pure returns (uint256) {
        return election.sheet << election.sheetBits;
    }

    /// @notice Draws who votes, and what, without signatures: so many of eight, but at least one.
    function fill(Drawn memory election, Dice memory dice, uint256 density) internal pure {
        uint256[] memory places = new uint256[](election.size);
        uint256 count = 0;
        uint256 always = dice.roll(election.size);
        for (uint256 i = 0; i < election.size; ++i) {
            if (i == always || dice.roll(8) < density) places[count++] = i;
        }
        assembly ("memory-safe") {
            mstore(places, count)
        }
        election.places = places;
        election.list = new SignedRecord[](count);
        uint256 span = (election.time - election.opensAt) >> dice.roll(40);
        uint256 length = dice.roll(election.maxBallotBytes + 1);
        bool equal = dice.roll(2) == 0;
        for (uint256 i = 0; i < count; ++i) {
            Record memory record = election.list[i].record;
            record.voter = election.first() + places[i];
            record.castAt = election.time - dice.roll(span + 1);
            record.weight = election.weights[places[i]];
            record.ballot = dice.data(equal || dice.roll(3) > 0 ? length : dice.roll(election.maxBallotBytes + 1));
        }
    }

    /// @notice Has the voters sign for a box on this chain what stands there.
    function sign(Drawn memory election, address box) internal view {
        uint256 chain = VM.getChainId();
        for (uint256 i = 0; i < election.list.length; ++i) {
            Record memory record = election.list[i].record;
            bytes32 digest = Ballots.digest(election.text, chain, box, record.voter, record.castAt, record.ballot);
            election.list[i].signature = Ballots.sign(Electorates.key(election.places[i]), digest);
        }
    }

    /// @notice The right multiproof.
    function prove(Drawn memory election) internal pure returns (bytes32[] memory) {
        return SheetTree.proveMany(election.nodes, election.places);
    }

    /// @notice The code of its box.
    function code(Drawn memory election, address implementation) internal pure returns (bytes memory) {
        bytes32[] memory roots = new bytes32[](((election.voters - 1) >> election.sheetBits) + 1);
        for (uint256 i = 0; i < roots.length; ++i) {
            roots[i] = i == election.sheet ? election.nodes[0] : keccak256(abi.encode("another sheet", i));
        }
        return abi.encodePacked(
            hex"363d3d373d3d3d363d73",
            implementation,
            hex"5af43d82803e903d91602b57fd5bf3",
            keccak256("a definition"),
            address(0x0123),
            abi.encodePacked(
                uint40(election.opensAt),
                uint40(election.closesAt),
                uint8(election.sheetBits),
                uint32(election.voters),
                uint16(election.maxBallotBytes),
                election.text,
                roots
            )
        );
    }
}
