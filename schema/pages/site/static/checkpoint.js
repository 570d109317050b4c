// The texts of the log: heads (C2SP tlog-checkpoint) and proofs (C2SP tlog-proof, tlog-witness).

import { fromBase64, NotProven } from "./bytes.js";

const HASH_BYTES = 32;
const MAX_PROOF_HASHES = 63;
const PROOF_HEADER = "c2sp.org/tlog-proof@v1";

/**
 * The head of a log: its origin, the number of entries, and the root of their tree.
 * @typedef {{origin: string, size: bigint, root: Uint8Array<ArrayBuffer>}} Head
 */

/**
 * A head from the text of a note. Throws NotProven.
 * @param {string} text
 * @returns {Head}
 */
export function parseHead(text) {
  const [origin, size, root, ...more] = text.split("\n");
  if (!origin || !size || !root || more.pop() !== "" || more.includes("")) {
    throw new NotProven("the head has fewer than three lines, or empty ones");
  }
  const [hash] = parseHashes([root]);
  if (!hash) throw new NotProven("the head has no root");
  return { origin, size: parseNumber(size), root: hash };
}

/**
 * An inclusion proof: the index of the entry, the hashes of its path, and the note of
 * the head. Throws NotProven.
 * @param {string} text
 */
export function parseInclusion(text) {
  const { lines, note } = splitProof(text);
  const [header, index, ...hashes] = lines.filter((line) => !line.startsWith("extra "));
  if (header !== PROOF_HEADER || !index?.startsWith("index ")) {
    throw new NotProven("the response is not a proof of an entry");
  }
  return { index: parseNumber(index.slice("index ".length)), hashes: parseHashes(hashes), note };
}

/**
 * A consistency proof: the older size, and its hashes. Throws NotProven.
 * @param {string} text
 */
export function parseConsistency(text) {
  const { lines, note } = splitProof(text);
  const [old, ...hashes] = lines;
  if (!old?.startsWith("old ")) throw new NotProven("the response is not a proof that the log continues");
  return { old: parseNumber(old.slice("old ".length)), hashes: parseHashes(hashes), note };
}

/** @param {string} text */
function splitProof(text) {
  const end = text.indexOf("\n\n");
  if (end < 0) throw new NotProven("a proof came without its head");
  return { lines: text.slice(0, end).split("\n"), note: text.slice(end + 2) };
}

/** @param {string[]} lines */
function parseHashes(lines) {
  const hashes = lines.map(fromBase64);
  if (hashes.length > MAX_PROOF_HASHES || hashes.some((hash) => hash.length !== HASH_BYTES)) {
    throw new NotProven(`a proof has more than ${MAX_PROOF_HASHES} hashes, or others than SHA-256`);
  }
  return hashes;
}

/** @param {string} text */
function parseNumber(text) {
  if (!/^(0|[1-9][0-9]{0,18})$/.test(text)) throw new NotProven("a number came in a wrong form");
  return BigInt(text);
}
