#!/usr/bin/env node
// The Solidity compiler from npm, behind the two options of the native program that py-solc-x, ape and forge use:
// `--version` and `--standard-json` (input on stdin, output on stdout).
import { readFileSync, writeSync } from "node:fs";
import { createRequire } from "node:module";

const require = createRequire(import.meta.url);
const solc = require("solc");

// A pipe takes 64 KiB at a time and process.stdout may be cut off at exit: write all of it, synchronously.
function print(text) {
  const bytes = Buffer.from(text);
  for (let written = 0; written < bytes.length; ) {
    try {
      written += writeSync(1, bytes, written);
    } catch (error) {
      if (error.code !== "EAGAIN") throw error;
    }
  }
}

if (process.argv.includes("--version")) {
  print(`solc, the solidity compiler commandline interface\nVersion: ${solc.version().replace(".Emscripten.clang", "")}\n`);
} else if (process.argv.includes("--standard-json")) {
  print(solc.compile(readFileSync(0, "utf8")));
} else {
  console.error("solc.mjs: found neither --version nor --standard-json");
  process.exit(2);
}
