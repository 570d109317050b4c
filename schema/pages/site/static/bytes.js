// Bytes and their texts, as the formats of the log write them.

/** The shown content differs from the signed content. */
export class NotProven extends Error {}

/** The check is not possible here; it does not show an error. */
export class NotChecked extends Error {}

const ENCODER = new TextEncoder();
const DECODER = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** @param {string} text */
export const toBytes = (text) => ENCODER.encode(text);

/**
 * The text of bytes in UTF-8. Throws NotProven for others.
 * @param {Uint8Array} bytes
 */
export function toText(bytes) {
  try {
    return DECODER.decode(bytes);
  } catch {
    throw new NotProven("these bytes are not text in UTF-8");
  }
}

/** @param {Uint8Array[]} parts */
export function concatBytes(...parts) {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/**
 * @param {Uint8Array} one
 * @param {Uint8Array} other
 */
export const equalBytes = (one, other) =>
  one.length === other.length && one.every((byte, at) => byte === other[at]);

/** @param {Uint8Array} bytes */
export const toHex = (bytes) => Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");

/**
 * Bytes from hexadecimal digits. Throws NotProven.
 * @param {string} text
 */
export function fromHex(text) {
  if (!/^([0-9a-f]{2})*$/.test(text)) throw new NotProven("these are not hexadecimal digits");
  return Uint8Array.from(text.match(/../g) ?? [], (pair) => parseInt(pair, 16));
}

/** @param {Uint8Array} bytes */
export const toBase64 = (bytes) => btoa(String.fromCharCode(...bytes));

/**
 * Bytes from base64, in canonical form. Throws NotProven.
 * @param {string} text
 */
export function fromBase64(text) {
  let bytes;
  try {
    bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  } catch {
    throw new NotProven("this is not base64");
  }
  if (toBase64(bytes) !== text) throw new NotProven("this base64 is not in its one form");
  return bytes;
}

/**
 * SHA-256 of bytes.
 * @param {Uint8Array<ArrayBuffer>} bytes
 */
export const sha256 = async (bytes) => new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
