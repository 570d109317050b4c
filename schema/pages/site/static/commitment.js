// Commitments to texts that are stored beside the entry, so that they can be redacted.

import { concatBytes, fromHex, sha256, toBytes, toHex } from "./bytes.js";

const SCHEME = "salted-sha256-v1";

/**
 * A line of `/annexes`: a text with the salt of its commitment, or the position of the event that
 * redacted both.
 * @typedef {{position: string, field: string, salt?: string, text?: string, redaction?: string}} Annex
 */

/**
 * The commitment to a text.
 * @param {string} salt
 * @param {string} text
 */
export const commitment = async (salt, text) =>
  `${SCHEME}:${toHex(await sha256(concatBytes(fromHex(salt), toBytes(text))))}`;

/**
 * The commitments in the data of an entry, by the JSON Pointers of the texts.
 * @param {unknown} value
 * @param {string} pointer
 * @returns {Map<string, string>}
 */
export function commitmentsIn(value, pointer = "") {
  if (typeof value !== "object" || value === null) return new Map();
  if ("commitment" in value && typeof value.commitment === "string") {
    return new Map([[pointer, value.commitment]]);
  }
  return new Map(
    Object.entries(value).flatMap(([name, part]) => [...commitmentsIn(part, `${pointer}/${name}`)]),
  );
}
