// Signed notes and their keys (C2SP signed-note): text with signatures under it.

import { concatBytes, fromBase64, NotChecked, NotProven, sha256, toBytes, toHex, toText } from "./bytes.js";

const ED25519 = 1;
const MAX_NOTE_BYTES = 1_000_000;
const MAX_SIGNATURES = 100;
const KEY_BYTES = 32;
const ID_BYTES = 4;

/** @typedef {{name: string, id: string, bytes: Uint8Array<ArrayBuffer>, text: string}} Key */
/** @typedef {{name: string, id: string, bytes: Uint8Array<ArrayBuffer>}} Signature */
/** @typedef {{whole: string, text: string, signatures: Signature[]}} Note */

/**
 * The keys in a text, one a line as `name+id+key`. Throws NotProven.
 * @param {string} text
 */
export async function parseKeys(text) {
  const lines = text.split("\n").filter((line) => line);
  if (!lines.length) throw new NotProven("no key came");
  return Promise.all(lines.map(parseKey));
}

/**
 * @param {string} text
 * @returns {Promise<Key>}
 */
async function parseKey(text) {
  const found = /^([^+\s]+)\+([0-9a-f]{8})\+([A-Za-z0-9+/=]+)$/.exec(text);
  const [, name = "", id = "", encoded = ""] = found ?? [];
  const data = fromBase64(encoded);
  if (data[0] !== ED25519 || data.length !== KEY_BYTES + 1) throw new NotProven("the key is no Ed25519 key");
  const hash = await sha256(concatBytes(toBytes(`${name}\n`), data));
  if (toHex(hash.slice(0, ID_BYTES)) !== id) throw new NotProven("the id of the key is not that of its bytes");
  return { name, id, bytes: data.slice(1), text };
}

/**
 * A note from its bytes; nothing is verified. Throws NotProven.
 * @param {Uint8Array} bytes
 * @returns {Note}
 */
export function parseNote(bytes) {
  const whole = toText(bytes);
  if (bytes.length > MAX_NOTE_BYTES || /[\x00-\x09\x0b-\x1f]/.test(whole)) {
    throw new NotProven("the note is too long, or has control characters");
  }
  const end = whole.lastIndexOf("\n\n");
  const lines = whole.slice(end + 2).split("\n");
  if (end < 0 || lines.pop() !== "" || !lines.length || lines.length > MAX_SIGNATURES) {
    throw new NotProven("the note does not end with an empty line and lines of signatures");
  }
  return { whole, text: whole.slice(0, end + 1), signatures: lines.map(parseSignature) };
}

/**
 * @param {string} line
 * @returns {Signature}
 */
function parseSignature(line) {
  const [dash, name, encoded, ...more] = line.split(" ");
  if (dash !== "—" || !name || !encoded || more.length) throw new NotProven("a line of the note is not a signature");
  const data = fromBase64(encoded);
  return { name, id: toHex(data.slice(0, ID_BYTES)), bytes: data.slice(ID_BYTES) };
}

/**
 * The keys that have signed a note. Throws NotProven if one of their signatures is invalid or missing
 * altogether, and NotChecked if this browser has no Ed25519.
 * @param {Note} note
 * @param {Key[]} keys
 * @param {string} subject
 * @param {string} prefix the beginning of the signed message, before the text of the note
 */
export async function signers(note, keys, subject = "the head that came", prefix = "") {
  /** @type {Key[]} */
  const found = [];
  for (const signature of note.signatures) {
    const key = keys.find((one) => one.name === signature.name && one.id === signature.id);
    if (!key) continue;
    if (!(await verifies(key, signature.bytes, toBytes(prefix + note.text)))) {
      throw new NotProven(`the signature of ${key.name} does not fit ${subject}`);
    }
    found.push(key);
  }
  if (!found.length) throw new NotProven(`none of the keys of this log has signed ${subject}`);
  return found;
}

/**
 * @param {Key} key
 * @param {Uint8Array<ArrayBuffer>} signature
 * @param {Uint8Array<ArrayBuffer>} message
 */
async function verifies(key, signature, message) {
  let imported;
  try {
    imported = await crypto.subtle.importKey("raw", key.bytes, "Ed25519", false, ["verify"]);
  } catch (error) {
    if (error instanceof DOMException && error.name === "DataError") return false;
    throw new NotChecked("this browser can't verify Ed25519 signatures");
  }
  return crypto.subtle.verify("Ed25519", imported, signature, message);
}
