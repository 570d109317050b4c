// Hashes of the log and proofs from them: RFC 6962 with SHA-256, verified as in RFC 9162.

import { concatBytes, equalBytes, NotProven, sha256 } from "./bytes.js";

const LEAF = Uint8Array.of(0);
const NODE = Uint8Array.of(1);

/**
 * The leaf hash of an entry.
 * @param {Uint8Array} entry
 */
export const leafHash = (entry) => sha256(concatBytes(LEAF, entry));

/**
 * The hash of two subtrees side by side.
 * @param {Uint8Array} left
 * @param {Uint8Array} right
 */
export const nodeHash = (left, right) => sha256(concatBytes(NODE, left, right));

/**
 * A step from a hash to the one above it: its neighbour, and the side of it.
 * @typedef {{hash: Uint8Array, side: "left" | "right"}} Step
 */

/**
 * The steps of an inclusion proof from an entry up to the root. Throws NotProven if a tree of
 * this size has no proof of this length.
 * @param {bigint} index
 * @param {bigint} size
 * @param {Uint8Array[]} hashes
 * @returns {Step[]}
 */
export function inclusionSteps(index, size, hashes) {
  if (index < 0n || index >= size) throw new NotProven(`there is no entry ${index + 1n} in a log of ${size}`);
  /** @type {Step[]} */
  const steps = [];
  let last = size - 1n;
  for (const hash of hashes) {
    if (last === 0n) throw new NotProven("the path has more hashes than the tree is high");
    const fromLeft = (index & 1n) === 1n || index === last;
    steps.push({ hash, side: fromLeft ? "left" : "right" });
    if (fromLeft) while ((index & 1n) === 0n && index !== 0n) [index, last] = [index >> 1n, last >> 1n];
    [index, last] = [index >> 1n, last >> 1n];
  }
  if (last !== 0n) throw new NotProven("the path has fewer hashes than the tree is high");
  return steps;
}

/**
 * The root to which steps lead from a leaf.
 * @param {Uint8Array} leaf
 * @param {Step[]} steps
 */
export async function rootAbove(leaf, steps) {
  let found = leaf;
  for (const { hash, side } of steps) {
    found = await (side === "left" ? nodeHash(hash, found) : nodeHash(found, hash));
  }
  return found;
}

/**
 * Checks that a tree of `size` entries begins with one of `old`. Throws NotProven.
 * @param {bigint} old
 * @param {bigint} size
 * @param {Uint8Array[]} hashes
 * @param {Uint8Array} oldRoot
 * @param {Uint8Array} root
 */
export async function checkConsistency(old, size, hashes, oldRoot, root) {
  if (old <= 0n || old > size) throw new NotProven(`a log of ${size} entries does not continue one of ${old}`);
  if (old === size) {
    if (hashes.length || !equalBytes(oldRoot, root)) throw new NotProven(`there are two logs of ${size} entries`);
    return;
  }
  const found = await rootsFrom(old, size, hashes, oldRoot);
  if (!found || !equalBytes(found.before, oldRoot) || !equalBytes(found.after, root)) {
    throw new NotProven(`the first ${old} of these ${size} entries are not those of before`);
  }
}

/**
 * The two roots to which a consistency proof leads; null for one of a wrong length.
 * @param {bigint} old
 * @param {bigint} size
 * @param {Uint8Array[]} hashes
 * @param {Uint8Array} oldRoot
 */
async function rootsFrom(old, size, hashes, oldRoot) {
  const [first, ...rest] = (old & (old - 1n)) === 0n ? [oldRoot, ...hashes] : hashes;
  if (!first || !hashes.length) return null;
  let [index, last] = [old - 1n, size - 1n];
  while ((index & 1n) === 1n) [index, last] = [index >> 1n, last >> 1n];
  let [before, after] = [first, first];
  for (const hash of rest) {
    if (last === 0n) return null;
    if ((index & 1n) === 1n || index === last) {
      [before, after] = [await nodeHash(hash, before), await nodeHash(hash, after)];
      while ((index & 1n) === 0n && index !== 0n) [index, last] = [index >> 1n, last >> 1n];
    } else {
      after = await nodeHash(after, hash);
    }
    [index, last] = [index >> 1n, last >> 1n];
  }
  return last === 0n ? { before, after } : null;
}
