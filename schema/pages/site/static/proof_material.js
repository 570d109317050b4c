// Data of the log for the checks of an event, each read once on first use.

import { NotChecked, NotProven, toText } from "./bytes.js";
import { parseHead, parseInclusion } from "./checkpoint.js";
import { valueAt } from "./entry_fields.js";
import { inclusionSteps } from "./merkle.js";
import { parseKeys, parseNote } from "./signed_note.js";

/** @typedef {import("./checkpoint.js").Head} Head */
/** @typedef {import("./commitment.js").Annex} Annex */
/** @typedef {import("./log_data.js").Read} Read */

export class Material {
  /**
   * @param {string} position
   * @param {Read} read
   */
  constructor(position, read) {
    this.position = BigInt(position);
    this.read = read;
    this.note = once(async () => parseNote(await read("/log/checkpoint")));
    this.head = once(async () => parseHead((await this.note()).text));
    this.keys = once(async () => parseKeys(toText(await read("/log/key"))));
    this.bytes = once(() => read(`/log/entries/${position}`));
    this.entry = once(async () => parseEntry(await this.bytes(), this.position));
    this.steps = once(() => this.stepsOf(this.position));
    this.annexes = once(async () => parseAnnexes(await read(annexPath(this.position))));
  }

  /**
   * The steps from the entry at a position up to the root of the head.
   * @param {bigint} position
   */
  async stepsOf(position) {
    const { size } = await this.head();
    if (position > size) {
      throw new NotChecked(`The newest head has ${size} events, and event ${position} is not among them yet.`);
    }
    const proof = parseInclusion(toText(await this.read(`/log/proof/${position}?size=${size}`)));
    if (proof.index !== position - 1n) throw new NotProven("The path is that of another entry.");
    return inclusionSteps(proof.index, size, proof.hashes);
  }
}

/**
 * The attributes of an entry. Throws NotProven for one of another position.
 * @param {Uint8Array} bytes
 * @param {bigint} position
 * @returns {Record<string, unknown>}
 */
export function parseEntry(bytes, position) {
  const entry = parseJson(toText(bytes));
  if (valueAt(entry, "/position") !== String(position)) {
    throw new NotProven(`The response is not the entry of position ${position}.`);
  }
  return /** @type {Record<string, unknown>} */ (entry);
}

/**
 * @param {Uint8Array} bytes
 * @returns {Annex[]}
 */
function parseAnnexes(bytes) {
  const lines = toText(bytes).split("\n").filter((line) => line);
  return lines.map((line) => /** @type {Annex} */ (parseJson(line)));
}

/**
 * @param {string} text
 * @returns {unknown}
 */
function parseJson(text) {
  try {
    return JSON.parse(text);
  } catch {
    throw new NotProven("The response is not JSON.");
  }
}

/** @param {bigint} position */
const annexPath = (position) => `/annexes?after=${position - 1n}&until=${position}`;

/**
 * The result of a function, which is called at most once.
 * @template T
 * @param {() => Promise<T>} make
 * @returns {() => Promise<T>}
 */
function once(make) {
  /** @type {Promise<T> | undefined} */
  let made;
  return () => (made ??= make());
}
