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

/** @typedef {"signature" | "consistency" | "answer" | "moment" | "page"} CheckName */
/** @typedef {{validAt: string, position: string}} Moment */
/** @typedef {Moment & {query: string}} ShownPage the moment of a page, and the digest of its query */

/**
 * @typedef {object} Statement
 * @property {object} operation
 * @property {string} answerSha256
 * @property {boolean} answerOmitted
 * @property {string} checkpoint
 * @property {string} origin
 * @property {Moment[]} moments
 */

/** @typedef {(value: any) => boolean} Test */

const FIRST_HEADER = "tracker-receipt/v1";
const HEADERS = [FIRST_HEADER, "tracker-receipt/v2"];
const IDENTIFIER = concatBytes(Uint8Array.of(0xff), toBytes("tracker-receipt"));
const PREFIX = "tracker-receipt-signature/v1\n";
const ID_BYTES = 4;
const MAX_MOMENTS = 10;
const SHORT_HASH_DIGITS = 9;

/** @type {Test} */
const isText = (value) => typeof value === "string";
/** @type {Test} */
const isDigest = (value) => isText(value) && /^[0-9a-f]{64}$/.test(value);
/** @type {Test} */
const isObject = (value) => typeof value === "object" && value !== null && !Array.isArray(value);
/** @type {Test} */
const isDay = (value) =>
  isText(value) &&
  /^\d{4}-\d\d-\d\d$/.test(value) &&
  !Number.isNaN(Date.parse(value)) &&
  new Date(value).toISOString().startsWith(value);
/** @type {Record<string, Test>} */
const OPERATION = {
  document: isText,
  operationName: (value) => value === null || isText(value),
  variables: isObject,
};
/** @type {Record<string, Test>} */
const MOMENT = {
  validAt: isDay,
  position: (value) => isText(value) && /^(0|[1-9][0-9]{0,15})$/.test(value),
  stateDigest: isDigest,
  stateFormat: Number.isInteger,
  completeness: isText,
};
/** @type {Record<string, Test>} */
const STATEMENT = {
  operation: (value) => hasMembers(value, OPERATION),
  moments: (value) =>
    Array.isArray(value) &&
    value.length > 0 &&
    value.length <= MAX_MOMENTS &&
    value.every((one) => hasMembers(one, MOMENT)),
  answerSha256: isDigest,
  answerOmitted: (value) => typeof value === "boolean",
  schemaSha256: isDigest,
  derivation: Number.isInteger,
  software: isText,
  checkpoint: isText,
  issuedAt: (value) => isText(value) && /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/.test(value),
  origin: isText,
};

/**
 * Whether a value is an object with these members and no others.
 * @param {any} value
 * @param {Record<string, Test>} members
 */
function hasMembers(value, members) {
  const names = Object.keys(members);
  return (
    isObject(value) &&
    Object.keys(value).length === names.length &&
    names.every((name) => Object.hasOwn(value, name) && members[name]?.(value[name]))
  );
}

/**
 * Checks the file of a receipt: with the data of `read`, and against the page.
 * @param {Uint8Array<ArrayBuffer>} file
 * @param {Read} read
 * @param {ShownPage} page
 * @returns {Promise<Record<CheckName, Outcome>>}
 */
export async function checkReceipt(file, read, page) {
  return {
    signature: await outcome(() => checkSignature(file, read)),
    consistency: await outcome(() => checkCheckpoint(file, read)),
    answer: await outcome(() => checkAnswer(file)),
    moment: await outcome(async () => checkMoment(file, page)),
    page: await outcome(() => checkPage(file, page)),
  };
}

/**
 * The note, the statement and the answer of a file, which has no other form. Throws NotProven.
 * @param {Uint8Array<ArrayBuffer>} file
 */
function parse(file) {
  try {
    const text = toText(file);
    const content = JSON.parse(text);
    const { answer, receipt, timestamp = "" } = content;
    const members = { answer: () => true, receipt: isText, ...("timestamp" in content && { timestamp: isText }) };
    const note = parseNote(toBytes(receipt));
    const [header = "", line = "", ...rest] = note.text.split("\n");
    const statement = /** @type {Statement} */ (JSON.parse(line));
    if (
      hasMembers(content, members) &&
      isText(timestamp) &&
      canonicalJson(content) === text.replace(/\n$/, "") &&
      HEADERS.includes(header) &&
      hasMembers(statement, STATEMENT) &&
      canonicalJson(statement) === line &&
      rest.length === 1 &&
      rest[0] === "" &&
      !(statement.answerOmitted && answer !== null)
    ) {
      return { answer, header, note, statement };
    }
  } catch {
    // not the form of a receipt
  }
  throw new NotProven("The file is not a receipt in its one form.");
}

/**
 * @param {Uint8Array<ArrayBuffer>} file
 * @param {Read} read
 */
async function checkSignature(file, read) {
  const { header, note, statement } = parse(file);
  const keys = (await parseKeys(toText(await read("/log/key")))).filter(({ name }) => name === statement.origin);
  const receiptKeys = await Promise.all(keys.map(receiptKey));
  const ids = note.signatures.map(({ id }) => id);
  const unknown = note.signatures.find(
    ({ name, id }) => !receiptKeys.some((key) => key.name === name && key.id === id),
  );
  if (unknown) throw new NotProven(`The receipt has a signature of ${unknown.name} by an unknown key.`);
  const expected = header === FIRST_HEADER ? ids : ids.toSorted();
  if (new Set(ids).size < ids.length || String(expected) !== String(ids)) {
    throw new NotProven("The receipt repeats a signature, or has another order of keys.");
  }
  await signers(note, receiptKeys, "the receipt", PREFIX);
  const checkpoint = parseNote(toBytes(statement.checkpoint));
  await signers(checkpoint, keys, "the checkpoint of the receipt");
  if (parseHead(checkpoint.text).origin !== statement.origin) {
    throw new NotProven("The checkpoint of the receipt is of another log.");
  }
  const published = keys.filter((_, at) => ids.includes(receiptKeys[at]?.id ?? ""));
  return {
    result: `key ${published.map(({ id }) => id).join(", ")}`,
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
 * @param {Uint8Array<ArrayBuffer>} file
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

/** @param {Uint8Array<ArrayBuffer>} file */
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
 * @param {Uint8Array<ArrayBuffer>} file
 * @param {Moment} moment
 */
function checkMoment(file, { validAt, position }) {
  const { checkpoint, moments } = parse(file).statement;
  if (!moments.some((one) => one.validAt === validAt && one.position === position)) {
    throw new NotProven(`The receipt is not of ${validAt} at position ${position}.`);
  }
  const { size } = parseHead(parseNote(toBytes(checkpoint)).text);
  if (moments.some((one) => BigInt(one.position) > size)) {
    throw new NotProven(`The checkpoint of the receipt covers ${size} events only.`);
  }
  return { result: validAt, detail: `As recorded at position ${position}.` };
}

/**
 * @param {Uint8Array<ArrayBuffer>} file
 * @param {ShownPage} page
 */
async function checkPage(file, { query }) {
  const { operation, moments } = parse(file).statement;
  const text = canonicalJson({ moments: moments.map(({ position, validAt }) => ({ position, validAt })), operation });
  const digest = toHex(await sha256(toBytes(text)));
  if (digest !== query) throw new NotProven("The receipt is of another query than this page.");
  return { result: `${digest.slice(0, SHORT_HASH_DIGITS)}…`, detail: "SHA-256 of the query and its moments." };
}
