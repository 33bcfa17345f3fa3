// Signs the ballots of signatures.json again, with viem, the library of wallets and web pages: signatures_viem.json.
//
//     node tests/vectors/make_signatures_viem.mjs
import { readFileSync, writeFileSync } from "node:fs";
import { hashDomain, hashTypedData, parseSignature, signatureToCompactSignature } from "viem";
import { privateKeyToAccount } from "viem/accounts";

const types = {
  Ballot: [
    { name: "voter", type: "uint32" },
    { name: "castAt", type: "uint40" },
    { name: "ballot", type: "bytes" },
  ],
};
const domainTypes = [
  { name: "name", type: "string" },
  { name: "version", type: "string" },
  { name: "chainId", type: "uint256" },
  { name: "verifyingContract", type: "address" },
];
const folder = new URL(".", import.meta.url);
const inputs = JSON.parse(readFileSync(new URL("signatures.json", folder), "utf8")).signatures;

const signatures = [];
for (const { private_key, chain_id, box, voter, cast_at, ballot } of inputs) {
  const account = privateKeyToAccount(private_key);
  const domain = { name: "QBallot", version: "1", chainId: BigInt(chain_id), verifyingContract: box };
  const typedData = { domain, types, primaryType: "Ballot", message: { voter, castAt: cast_at, ballot } };
  const compact = signatureToCompactSignature(parseSignature(await account.signTypedData(typedData)));
  signatures.push({
    private_key,
    signer: account.address,
    chain_id,
    box,
    voter,
    cast_at,
    ballot,
    domain_separator: hashDomain({ domain, types: { EIP712Domain: domainTypes } }),
    digest: hashTypedData(typedData),
    r: compact.r,
    vs: compact.yParityAndS,
  });
}
const description = "The ballots of signatures.json, hashed and signed by viem.";
const source = "tests/vectors/make_signatures_viem.mjs with viem 2.57.0; keys from anvil's public mnemonic";
writeFileSync(
  new URL("signatures_viem.json", folder),
  JSON.stringify({ description, source, signatures }, null, 1) + "\n",
);
