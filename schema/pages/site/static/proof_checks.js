// The six checks of an event: each has its own result, so that a failure names the right cause.
// Nothing here uses the page or the network.

import { equalBytes, NotChecked, NotProven, toBytes, toHex, toText } from "./bytes.js";
import { parseHead } from "./checkpoint.js";
import { commitment, commitmentsIn } from "./commitment.js";
import { compareFields, valueAt } from "./entry_fields.js";
import { checkContinues } from "./log_data.js";
import { leafHash, rootAbove } from "./merkle.js";
import { outcome } from "./outcome.js";
import { Material, parseEntry } from "./proof_material.js";
import { parseNote, signers } from "./signed_note.js";

/** @typedef {import("./commitment.js").Annex} Annex */
/** @typedef {import("./entry_fields.js").ShownField} ShownField */
/** @typedef {import("./merkle.js").Step} Step */
/** @typedef {import("./log_data.js").Read} Read */
/** @typedef {import("./outcome.js").Outcome} Outcome */
/** @typedef {import("./signed_note.js").Key} Key */

/** @typedef {"head" | "seen" | "entry" | "path" | "texts" | "page"} CheckName */

/**
 * The last head in a browser: its note, and the keys that had signed it.
 * @typedef {{note: string, keys: string[]}} SeenHead
 */

/**
 * The results of the checks. `seen` is stored for the next visit; null if the head is not verified,
 * or not newer.
 * @typedef {object} Findings
 * @property {Record<CheckName, Outcome>} outcomes
 * @property {SeenHead | null} seen
 * @property {string} size
 * @property {string} entry
 * @property {string[]} keys
 * @property {Step[]} steps
 * @property {ShownField[]} wrong
 */

const REDACTED = "Redaction.Redacted";
const SHORT_HASH_DIGITS = 9;

/**
 * Checks an event: the data of `read`, and the fields of the page.
 * @param {string} position
 * @param {Read} read
 * @param {SeenHead | null} seen
 * @param {ShownField[]} fields
 * @returns {Promise<Findings>}
 */
export async function checkEvent(position, read, seen, fields) {
  const material = new Material(position, read);
  /** @type {Key[]} */
  let keys = [];
  /** @type {Map<string, string> | null} */
  let texts = null;
  /** @type {ShownField[]} */
  const wrong = [];
  const head = await outcome(async () => describeKeys((keys = await checkHead(material))));
  const before = await outcome(() => checkSeen(material, seen, keys));
  const entry = await outcome(() => checkEntry(material));
  const path = await outcome(() => checkPath(material));
  const opened = await outcome(async () => {
    texts = await openTexts(material);
    return describeTexts(texts, material);
  });
  const page = await outcome(() => checkPage(material, fields, texts, path.state, wrong));
  const believed = head.state === "passed" && before.state !== "failed";
  return {
    outcomes: { head, seen: before, entry, path, texts: opened, page },
    seen: believed ? { note: (await material.note()).whole, keys: keys.map(({ text }) => text) } : null,
    entry: await material.bytes().then(toText).catch(() => ""),
    keys: keys.map(({ text }) => text),
    size: await material.head().then((found) => String(found.size), () => ""),
    steps: await material.steps().catch(() => []),
    wrong,
  };
}

/**
 * The signers of the head. Throws NotProven without a signature of a key of the log.
 * @param {Material} material
 */
async function checkHead(material) {
  const { origin } = await material.head();
  const own = (await material.keys()).filter((key) => key.name === origin);
  return signers(await material.note(), own);
}

/** @param {Key[]} keys */
function describeKeys(keys) {
  const [{ name = "", id = "" } = {}] = keys;
  return {
    result: `key ${id}`,
    detail: `By ${name}. The key came with this page: compare it with a copy from another channel.`,
  };
}

/**
 * Checks that the head continues the last one in this browser.
 * @param {Material} material
 * @param {SeenHead | null} seen
 * @param {Key[]} keys
 */
async function checkSeen(material, seen, keys) {
  const head = await material.head();
  if (!seen) return { result: "first visit", detail: "Stored now; the next visit is compared with it." };
  const old = parseHead(parseNote(toBytes(seen.note)).text);
  if (old.origin !== head.origin) {
    throw new NotProven(`This browser saw the log ${old.origin} before, and this log is ${head.origin}.`);
  }
  if (head.size < old.size) {
    throw new NotProven(`This browser saw ${old.size} events, and this log has ${head.size}.`);
  }
  await checkContinues(material.read, old, head);
  if (keys.length && !keys.some((key) => seen.keys.includes(key.text))) {
    throw new NotChecked("It continues, and is signed by another key than before. Ask the operator whether the key was changed.");
  }
  return {
    result: `since ${grouped(old.size)}`,
    detail: "The log that this browser saw before is the beginning of this log.",
  };
}

/** @param {Material} material */
async function checkEntry(material) {
  await material.entry();
  return {
    result: `${grouped((await material.bytes()).length)} bytes`,
    detail: "Hashed as received: SHA-256 of a zero byte and the entry (RFC 6962).",
  };
}

/** @param {Material} material */
async function checkPath(material) {
  const [{ root }, steps] = [await material.head(), await material.steps()];
  await checkLeads(await material.bytes(), steps, root);
  const neighbours = steps.length === 1 ? "One neighbour" : `${steps.length} neighbours`;
  return {
    result: `${toHex(root).slice(0, SHORT_HASH_DIGITS)}…`,
    detail: `${neighbours} combined, left or right as the position says.`,
  };
}

/**
 * @param {Uint8Array} bytes
 * @param {Step[]} steps
 * @param {Uint8Array} root
 */
async function checkLeads(bytes, steps, root) {
  if (equalBytes(await rootAbove(await leafHash(bytes), steps), root)) return;
  throw new NotProven("These bytes lead to another root: this is not the entry that was signed.");
}

/**
 * The texts that open the commitments of the entry, by their fields; those that the log redacts are
 * left out. Throws NotProven where a text is another, or gone without an event that says so.
 * @param {Material} material
 */
async function openTexts(material) {
  const promised = commitmentsIn((await material.entry())["data"]);
  const annexes = promised.size ? await material.annexes() : [];
  /** @type {Map<string, string>} */
  const texts = new Map();
  for (const [field, committed] of promised) {
    const annex = annexes.find((one) => one.field === field);
    if (annex?.salt !== undefined && annex.text !== undefined) {
      if ((await commitment(annex.salt, annex.text)) !== committed) {
        throw new NotProven(`The text of ${field} is not the one that the entry commits to.`);
      }
      texts.set(field, annex.text);
    } else {
      await checkRedacted(material, field, annex?.redaction);
    }
  }
  return texts;
}

/**
 * That an event of the log redacts a text. Throws NotProven.
 * @param {Material} material
 * @param {string} field
 * @param {string | undefined} position
 */
async function checkRedacted(material, field, position) {
  if (!position) throw new NotProven(`The text of ${field} is missing, and no event states the reason.`);
  const bytes = await material.read(`/log/entries/${position}`);
  const entry = parseEntry(bytes, BigInt(position));
  const fields = valueAt(entry, "/data/fields");
  const about = entry["type"] === REDACTED && entry["subject"] === `redaction/${material.position}`;
  if (!about || !Array.isArray(fields) || !fields.includes(field)) {
    throw new NotProven(`The text of ${field} is missing, and event ${position} does not state the reason.`);
  }
  const { root } = await material.head();
  await checkLeads(bytes, await material.stepsOf(BigInt(position)), root);
}

/**
 * @param {Map<string, string>} texts
 * @param {Material} material
 */
async function describeTexts(texts, material) {
  const all = commitmentsIn((await material.entry())["data"]).size;
  if (!all) return { result: "none", detail: "This entry commits to no texts." };
  const redacted = all - texts.size;
  const gone = redacted ? ` ${redacted} redacted, as an event in the same log says.` : "";
  return {
    result: redacted ? `${texts.size} of ${all} open` : texts.size === 1 ? "opens" : `${texts.size} open`,
    detail: `SHA-256 of salt and text; the text itself can be redacted.${gone}`,
  };
}

/**
 * That the page shows what the entry says; fields that do not are added to `wrong`.
 * @param {Material} material
 * @param {ShownField[]} fields
 * @param {Map<string, string> | null} texts
 * @param {Outcome["state"]} path
 * @param {ShownField[]} wrong
 */
async function checkPage(material, fields, texts, path, wrong) {
  const compared = compareFields(fields, await material.entry(), texts);
  if (path === "failed") throw new NotProven("The entry is not proven, so nothing on this page is.");
  wrong.push(...compared.wrong);
  const named = (/** @type {string[]} */ pointers) => [...new Set(pointers)].join(", ");
  if (wrong.length) {
    throw new NotProven(`The page differs at ${named(wrong.map(({ pointer }) => pointer))}.`);
  }
  if (compared.missing.length) throw new NotProven(`The page leaves out ${named(compared.missing)}.`);
  if (path === "unknown") throw new NotChecked("It does, but the entry itself is not proven here.");
  return {
    result: `${grouped(fields.length)} fields`,
    detail: "Each is compared with the proven bytes. The heading is made from them.",
  };
}

/** @param {bigint | number} number */
const grouped = (number) => number.toLocaleString("en");
