// Judges inclusion proofs with Sigstore's verifier. Standard input: a JSON list of {index, size, root, hashes, body}, the last
// three in hexadecimal. Prints a JSON list: true where the proof holds.
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const require = createRequire(import.meta.url);
const { verifyMerkleInclusion } = require(join(here, "node_modules/@sigstore/verify/dist/timestamp/merkle.js"));

const bytes = (hex) => Buffer.from(hex, "hex");
let text = "";
for await (const chunk of process.stdin) text += chunk;

function holds({ index, size, root, hashes, body }) {
  const inclusionProof = { logIndex: String(index), treeSize: String(size), rootHash: bytes(root), hashes: hashes.map(bytes) };
  try {
    verifyMerkleInclusion({ inclusionProof, canonicalizedBody: bytes(body) });
    return true;
  } catch (error) {
    if (error.code !== "TLOG_INCLUSION_PROOF_ERROR") throw error;
    return false;
  }
}

console.log(JSON.stringify(JSON.parse(text).map(holds)));
