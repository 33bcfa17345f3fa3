// Makes censuses.json with npm's @openzeppelin/merkle-tree, so that our trees are checked against another hand's.
//
//     node tests/vectors/make_censuses.mjs
//
// Addresses and weights are made up from the case's name and the voter's index; nothing is random.
import { createHash } from "node:crypto";
import { writeFileSync } from "node:fs";

import { StandardMerkleTree } from "@openzeppelin/merkle-tree";

const LEAF = ["uint256", "address", "uint256"];

function makeVoter(name, index, heavy) {
  const digest = createHash("sha256").update(`${name}/${index}`).digest("hex");
  const weight = heavy ? 1n + (BigInt("0x" + digest.slice(40)) >> BigInt((index % 12) * 8)) : 1n;
  return { address: "0x" + digest.slice(0, 40), weight: String(weight) };
}

// The proof order of ours is OpenZeppelin's; its flags are left out, because the positions give them.
function proveMany(tree, first, indices) {
  return { indices, proof: tree.getMultiProof(indices.map((index) => index - first)).proof };
}

function makeCase(name, voters, sheetBits, heavy) {
  const entries = Array.from({ length: voters }, (_, index) => makeVoter(name, index, heavy));
  const size = 2 ** sheetBits;
  const sheetRoots = [];
  const proofs = [];
  const multiproofs = [];
  for (let first = 0; first < voters; first += size) {
    const sheet = entries.slice(first, first + size);
    const values = sheet.map((entry, place) => [first + place, entry.address, entry.weight]);
    const tree = StandardMerkleTree.of(values, LEAF, { sortLeaves: false });
    const indices = sheet.map((_, place) => first + place);
    sheetRoots.push(tree.root);
    indices.forEach((index, place) => proofs.push({ index, proof: tree.getProof(place) }));
    const subsets = [
      indices,
      indices.filter((index) => index % 2 === 0),
      indices.filter((index) => index % 3 === 1),
      indices.slice(0, 2),
      indices.slice(-3),
      [indices[0], indices[indices.length - 1]].slice(0, indices.length),
    ];
    const distinct = new Map(subsets.filter((one) => one.length > 0).map((one) => [one.join(), one]));
    distinct.forEach((one) => multiproofs.push(proveMany(tree, first, one)));
  }
  return {
    name,
    sheet_bits: sheetBits,
    voters: entries,
    first_leaf: StandardMerkleTree.of([[0, entries[0].address, entries[0].weight]], LEAF).root,
    sheet_roots: sheetRoots,
    proofs,
    multiproofs,
  };
}

const document = {
  description:
    "Censuses with the roots of their sheets, every single proof, and proofs of several voters of a sheet. Indices are those of the whole census.",
  source: "tests/vectors/make_censuses.mjs with npm @openzeppelin/merkle-tree 1.0.8, sortLeaves: false",
  censuses: [
    makeCase("one voter", 1, 10, true),
    makeCase("two voters", 2, 10, false),
    makeCase("three voters", 3, 10, true),
    makeCase("sheets of one voter", 3, 0, true),
    makeCase("full sheet", 8, 3, true),
    makeCase("three sheets, the last with one voter", 9, 2, true),
    makeCase("two sheets, the last in part", 27, 4, true),
  ],
};

writeFileSync(new URL("censuses.json", import.meta.url), JSON.stringify(document, null, 1) + "\n");
