// Data of the log from this site, and the check that one head continues another.

import { NotChecked, NotProven, toText } from "./bytes.js";
import { parseConsistency } from "./checkpoint.js";
import { checkConsistency } from "./merkle.js";

/** @typedef {import("./checkpoint.js").Head} Head */

/**
 * Gives the bytes at a path of the site. Throws NotProven if the server has no such path, and
 * NotChecked without a response.
 * @typedef {(path: string) => Promise<Uint8Array<ArrayBuffer>>} Read
 */

/** @type {Read} */
export async function read(path) {
  let answer;
  try {
    answer = await fetch(path, { headers: { Accept: "*/*" } });
  } catch {
    throw new NotChecked(`${path} did not come. Are you online?`);
  }
  if (answer.status === 404 && (path === "/log/checkpoint" || path === "/log/key")) {
    throw new NotChecked("This server does not sign its log.");
  }
  if (answer.status === 404) throw new NotProven(`The server has no ${path}.`);
  if (!answer.ok) throw new NotChecked(`${path} was answered with ${answer.status}.`);
  return new Uint8Array(await answer.arrayBuffer());
}

/**
 * Checks that a head continues an older one, by a proof of the server. Throws NotProven.
 * @param {Read} read
 * @param {Head} old
 * @param {Head} head
 */
export async function checkContinues(read, old, head) {
  const path = `/log/consistency/${old.size}?size=${head.size}`;
  const hashes = old.size === head.size ? [] : parseConsistency(toText(await read(path))).hashes;
  await checkConsistency(old.size, head.size, hashes, old.root, head.root);
}
