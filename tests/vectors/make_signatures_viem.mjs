// Signs the ballots of signatures.json again, with viem, the library of wallets and web pages: signatures_viem.json.
//
//     node tests/vectors/make_signatures_viem.mjs
import { readFileSync, writeFileSync } from "node:fs";
import { hashDomain, hashTypedData, parseSignature, signatureToCompactSignature } from "viem";
import { privateKeyToAccount } from "viem/accounts";

const typesWith = (form) => ({
  Ballot: [
    { name: "voter", type: "uint32" },
    { name: "castAt", type: "uint40" },
    { name: "ballot", type: form },
  ],
});
const domainTypes = [
  { name: "name", type: "string" },
  { name: "version", type: "string" },
  { name: "chainId", type: "uint256" },
  { name: "verifyingContract", type: "address" },
];
const folder = new URL(".", import.meta.url);
const inputs = JSON.parse(readFileSync(new URL("signatures.json", folder), "utf8"));

async function signAgain({ private_key, chain_id, box, voter, cast_at, ballot, text }) {
  const account = privateKeyToAccount(private_key);
  const domain = { name: "QBallot", version: "1", chainId: BigInt(chain_id), verifyingContract: box };
  const describe = (form, content) => ({
    domain,
    types: typesWith(form),
    primaryType: "Ballot",
    message: { voter, castAt: cast_at, ballot: content },
  });
  const typedData = text === undefined ? describe("bytes", ballot) : describe("string", text);
  const compact = signatureToCompactSignature(parseSignature(await account.signTypedData(typedData)));
  const signed = {
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
  };
  return text === undefined ? signed : { ...signed, text, bytes_digest: hashTypedData(describe("bytes", ballot)) };
}

const description = "The ballots of signatures.json, hashed and signed by viem.";
const source = "tests/vectors/make_signatures_viem.mjs with viem 2.57.0; keys from anvil's public mnemonic";
const signatures = await Promise.all(inputs.signatures.map(signAgain));
const text_signatures = await Promise.all(inputs.text_signatures.map(signAgain));
writeFileSync(
  new URL("signatures_viem.json", folder),
  JSON.stringify({ description, source, signatures, text_signatures }, null, 1) + "\n",
);
