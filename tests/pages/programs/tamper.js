// Checks an event of a running log again and again, each time with something changed on the way, and
// prints which checks passed. Run with a JSON file that says where, what and which scenarios.

import { readFileSync } from "node:fs";
import { NotChecked, NotProven, toBytes, toText } from "./static/bytes.js";
import { checkEvent } from "./static/proof_checks.js";

const told = JSON.parse(readFileSync(process.argv[2], "utf8"));
const subtle = crypto.subtle;

async function honest(path) {
  const answer = await fetch(told.site + path);
  if (answer.status === 404) throw new NotProven(`${path} is not there`);
  if (!answer.ok) throw new NotChecked(`${path} did not come`);
  return new Uint8Array(await answer.arrayBuffer());
}

/** Reads honestly but at paths that begin so, where the text is changed. */
const changing = (start, change) => async (path) => {
  const bytes = await honest(path);
  return path.startsWith(start) ? toBytes(change(toText(bytes))) : bytes;
};

/** Reads another path in place of one that begins so. */
const instead = (start, other) => (path) => honest(path.startsWith(start) ? other(path) : path);

/** Another letter of base64 at a place. */
const swap = (text, at) => text.slice(0, at) + (text[at] === "B" ? "C" : "B") + text.slice(at + 1);
const inLine = (number, at) => (text) =>
  text.split("\n").map((line, index) => (index === number ? swap(line, at) : line)).join("\n");
const shown = (pointer, text) => told.fields.map((field) => (field.pointer === pointer ? { ...field, text } : field));
const ownProof = `/log/proof/${told.position}?`;
/** Paths as if the log had no more than so many events. */
const headOf = (size) => (path) =>
  path === "/log/checkpoint" ? `/log/checkpoint/${size}` : path.replace(/size=\d+/, `size=${size}`);

const SCENARIOS = {
  "nothing": {},
  "nothing, and the log has grown": { seen: told.seen },
  "a byte of the entry": { read: changing("/log/entries/", (text) => text.replace("Gallium", "Gallimu")) },
  "the entry of another position": { read: instead("/log/entries/", () => "/log/entries/1") },
  "a hash of the path": { read: changing(ownProof, inLine(2, 5)) },
  "the path of another entry": { read: instead(ownProof, (path) => path.replace(/proof\/\d+/, "proof/1")) },
  "a path that is too short": {
    read: changing(ownProof, (text) => text.split("\n").filter((_, index) => index !== 2).join("\n")),
  },
  "the root of the head": { read: changing("/log/checkpoint", inLine(2, 5)) },
  "the signature of the head": { read: changing("/log/checkpoint", inLine(4, 40)) },
  "the key": { read: changing("/log/key", () => told.otherKey) },
  "the name of the log": { read: changing("/log/checkpoint", (text) => text.replace("example.com", "example.net")) },
  "a forged head of another history": { read: changing("/log/checkpoint", () => told.forged), seen: told.seen },
  "an older head": { read: instead("/log/", headOf(told.older)), seen: told.newest },
  "a fork of the same size": { seen: { ...told.newest, note: told.forged } },
  "a fork before": { seen: { ...told.seen, note: told.forgedBefore } },
  "another log than before": { seen: { ...told.seen, note: told.seen.note.replace("example.com", "example.net") } },
  "a key that was changed": { seen: { ...told.seen, keys: ["another"] } },
  "the remark": { read: changing("/annexes", (text) => text.replace("“in her words”", "“in his words”")) },
  "the remark is gone": { read: changing("/annexes", (text) => text.replace(/,"salt":"[^"]*","text":"[^"]*"/g, "")) },
  "the remark goes by another event": {
    read: changing("/annexes", (text) => text.replace(/"redaction":"\d+"/, `"redaction":"${told.position}"`)),
  },
  "a word of the page": { fields: shown("/data/title", "Gallium to the EU") },
  "a day of the page": { fields: shown("/data/on", "3 Nov 2024") },
  "the remark of the page": { fields: shown("/quotation", "“in his words”") },
  "a remark on the page that was redacted": { fields: shown("/note", "Somebody said so") },
  "a field that the page leaves out": { fields: told.fields.filter(({ pointer }) => pointer !== "/data/issuer") },
  "not signed yet": { read: instead("/log/", headOf(told.before)) },
  "no Ed25519 in the browser": { withoutEd25519: true },
  "nothing comes": {
    read: async () => {
      throw new NotChecked("nothing came");
    },
  },
};

const answers = {};
for (const [name, { read = honest, seen = null, fields = told.fields, withoutEd25519 }] of Object.entries(SCENARIOS)) {
  const importKey = async () => {
    throw new DOMException("no Ed25519", "NotSupportedError");
  };
  const digest = subtle.digest.bind(subtle);
  Object.defineProperty(globalThis, "crypto", {
    value: { subtle: withoutEd25519 ? { importKey, digest } : subtle },
    configurable: true,
  });
  const found = await checkEvent(told.position, read, seen, fields);
  answers[name] = {
    outcomes: found.outcomes,
    kept: found.seen !== null,
    wrong: found.wrong.map(({ pointer }) => pointer),
  };
}
console.log(JSON.stringify(answers));
