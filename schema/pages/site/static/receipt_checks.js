// The checks of a receipt that need no other program: its signature, the continuation of its
// checkpoint, and the digest of its answer. Nothing here uses the page.

import { concatBytes, NotChecked, NotProven, sha256, toBytes, toHex, toText } from "./bytes.js";
import { canonicalJson } from "./canonical_json.js";
import { parseHead } from "./checkpoint.js";
import { checkContinues } from "./log_data.js";
import { outcome } from "./outcome.js";
import { parseKeys, parseNote, signers } from "./signed_note.js";

/** @typedef {import("./log_data.js").Read} Read */
/** @typedef {import("./outcome.js").Outcome} Outcome */
/** @typedef {import("./signed_note.js").Key} Key */

/** @typedef {"signature" | "consistency" | "answer" | "moment"} CheckName */
/** @typedef {{validAt: string, position: string}} Moment */

/**
 * @typedef {object} Statement
 * @property {string} answerSha256
 * @property {boolean} answerOmitted
 * @property {string} checkpoint
 * @property {string} origin
 * @property {Moment[]} moments
 */

const HEADER = "tracker-receipt/v1";
const IDENTIFIER = concatBytes(Uint8Array.of(0xff), toBytes("tracker-receipt"));
const PREFIX = "tracker-receipt-signature/v1\n";
const ID_BYTES = 4;
const SHORT_HASH_DIGITS = 9;

/**
 * Checks the file of a receipt: the data of `read`, and the moment of the page.
 * @param {string} file
 * @param {Read} read
 * @param {Moment} moment
 * @returns {Promise<Record<CheckName, Outcome>>}
 */
export async function checkReceipt(file, read, moment) {
  return {
    signature: await outcome(() => checkSignature(file, read)),
    consistency: await outcome(() => checkCheckpoint(file, read)),
    answer: await outcome(() => checkAnswer(file)),
    moment: await outcome(async () => checkMoment(file, moment)),
  };
}

/**
 * The note, the statement and the answer of a file. Throws NotProven.
 * @param {string} file
 */
function parse(file) {
  let answer, note, statement;
  try {
    const content = JSON.parse(file);
    answer = content.answer;
    note = parseNote(toBytes(content.receipt));
    const [header, line] = note.text.split("\n");
    statement = header === HEADER ? /** @type {Statement} */ (JSON.parse(line ?? "")) : null;
  } catch (error) {
    if (error instanceof NotProven) throw error;
  }
  if (!note || !statement) throw new NotProven("The file is no receipt.");
  return { answer, note, statement };
}

/**
 * @param {string} file
 * @param {Read} read
 */
async function checkSignature(file, read) {
  const { note, statement } = parse(file);
  const keys = (await parseKeys(toText(await read("/log/key")))).filter(({ name }) => name === statement.origin);
  const [key] = await signers(note, await Promise.all(keys.map(receiptKey)), "the receipt", PREFIX);
  await signers(parseNote(toBytes(statement.checkpoint)), keys, "the checkpoint of the receipt");
  return {
    result: `key ${key?.id}`,
    detail: "The key came from this server: compare it with a copy from another channel.",
  };
}

/**
 * The key of the log as the key of its receipts, which has another id.
 * @param {Key} key
 * @returns {Promise<Key>}
 */
async function receiptKey(key) {
  const hash = await sha256(concatBytes(toBytes(`${key.name}\n`), IDENTIFIER, key.bytes));
  return { ...key, id: toHex(hash.slice(0, ID_BYTES)) };
}

/**
 * @param {string} file
 * @param {Read} read
 */
async function checkCheckpoint(file, read) {
  const { statement } = parse(file);
  const old = parseHead(parseNote(toBytes(statement.checkpoint)).text);
  const note = parseNote(await read("/log/checkpoint"));
  const head = parseHead(note.text);
  const keys = (await parseKeys(toText(await read("/log/key")))).filter(({ name }) => name === head.origin);
  await signers(note, keys);
  if (old.origin !== head.origin) {
    throw new NotProven(`The receipt is of the log ${old.origin}, and this log is ${head.origin}.`);
  }
  if (old.size > head.size) {
    throw new NotProven(`The receipt is of a log of ${old.size} events, and this log has ${head.size}.`);
  }
  await checkContinues(read, old, head);
  return {
    result: `${old.size.toLocaleString("en")} events`,
    detail: `They are the beginning of the present log of ${head.size.toLocaleString("en")} events.`,
  };
}

/** @param {string} file */
async function checkAnswer(file) {
  const { answer, statement } = parse(file);
  if (statement.answerOmitted) {
    throw new NotChecked("The receipt omits the answer, because reading needs a token.");
  }
  const digest = toHex(await sha256(toBytes(canonicalJson(answer))));
  if (digest !== statement.answerSha256) throw new NotProven("The answer in the file is not the signed one.");
  return { result: `${digest.slice(0, SHORT_HASH_DIGITS)}…`, detail: "SHA-256 of its canonical JSON (RFC 8785)." };
}

/**
 * @param {string} file
 * @param {Moment} moment
 */
function checkMoment(file, { validAt, position }) {
  const { moments } = parse(file).statement;
  if (!moments.some((one) => one.validAt === validAt && one.position === position)) {
    throw new NotProven(`The receipt is not of ${validAt} at position ${position}.`);
  }
  return { result: validAt, detail: `As recorded at position ${position}.` };
}
