// The fields of an entry, and their format on a page, for comparing a page with its entry.

/** The format of a value, as in `data-as` of its element. */
/** @typedef {"text" | "words" | "day" | "time" | "number" | "yes" | "link"} Form */

/**
 * A field as a page shows it: the JSON Pointer of its value, its format, and its words. With
 * `annex` it shows the text to which the entry commits there.
 * @typedef {{pointer: string, as: string, text: string, annex?: boolean}} ShownField
 */

const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
/** Required fields of an entry on a page, besides all of its `data`. */
const ENVELOPE = ["/id", "/type", "/subject", "/version", "/time", "/actor"];
/** The text on a page in place of a redacted text. */
const GONE = "redacted";

/** @type {Record<Form, (value: unknown) => string>} */
const FORMS = {
  text: String,
  link: String,
  words: (value) => String(value).replaceAll("_", " "),
  day: (value) => writeDay(String(value)),
  time: (value) => writeTime(String(value)),
  number: (value) => writeNumber(String(value)),
  yes: (value) => (value === true ? "yes" : "no"),
};

/**
 * A date of any precision: 2013, Jul 2013, 1 Jul 2013.
 * @param {string} date
 */
function writeDay(date) {
  const [year, month, day] = date.split("-");
  const name = month && MONTHS[Number(month) - 1];
  return [day && String(Number(day)), name, year].filter(Boolean).join(" ");
}

/**
 * A time of an entry, to the second: 25 Nov 2026, 17:26:07 UTC.
 * @param {string} time
 */
function writeTime(time) {
  const [date = "", clock = ""] = time.split("T");
  return `${writeDay(date)}, ${clock.slice(0, "17:26:07".length)} UTC`;
}

/**
 * A decimal number with commas between thousands, digit for digit.
 * @param {string} number
 */
function writeNumber(number) {
  const [whole = "", part] = number.split(".");
  const grouped = whole.replace(/\B(?=(\d{3})+$)/g, ",");
  return part === undefined ? grouped : `${grouped}.${part}`;
}

/** @param {string} text */
const normalized = (text) => text.replace(/\s+/gu, " ").trim();

/**
 * The words of a page as a value has them: `dual-use licence` shows `dual_use_licence`.
 * @param {string} text
 */
const unhyphenated = (text) => text.replaceAll("-", " ");

/**
 * The value at a JSON Pointer (RFC 6901); undefined without one.
 * @param {unknown} value
 * @param {string} pointer
 */
export function valueAt(value, pointer) {
  let found = value;
  for (const part of pointer.split("/").slice(1)) {
    const name = part.replaceAll("~1", "/").replaceAll("~0", "~");
    if (typeof found !== "object" || found === null || !Object.hasOwn(found, name)) return undefined;
    found = /** @type {Record<string, unknown>} */ (found)[name];
  }
  return found;
}

/**
 * The JSON Pointers of all values in a value; a commitment to a text counts as one.
 * @param {unknown} value
 * @param {string} pointer
 * @returns {string[]}
 */
function leaves(value, pointer) {
  if (typeof value !== "object" || value === null || "commitment" in value) return [pointer];
  return Object.entries(value).flatMap(([name, part]) => leaves(part, `${pointer}/${name}`));
}

/**
 * Whether the words of a page are those of a value.
 * @param {ShownField} field
 * @param {unknown} value
 */
function shows({ as, text }, value) {
  const write = Object.hasOwn(FORMS, as) ? FORMS[/** @type {Form} */ (as)] : undefined;
  if (value === undefined || write === undefined) return false;
  const [told, meant] = [normalized(text), normalized(write(value))];
  return told === meant || (as === "words" && unhyphenated(told) === unhyphenated(meant));
}

/**
 * Compares a page with an entry and its texts: the fields that differ, and those that the page
 * leaves out. A redacted text is not compared.
 * @param {ShownField[]} fields
 * @param {Record<string, unknown>} entry
 * @param {Map<string, string> | null} texts
 */
export function compareFields(fields, entry, texts) {
  const wrong = fields.filter((field) => {
    const { annex, pointer } = field;
    if (!annex) return !shows(field, valueAt(entry, pointer));
    return texts !== null && !shows(field, texts.get(pointer) ?? GONE);
  });
  const shown = new Set(fields.map(({ pointer, annex }) => (annex ? `/data${pointer}` : pointer)));
  const envelope = ENVELOPE.filter((pointer) => valueAt(entry, pointer) !== undefined);
  const required = [...envelope, ...leaves(entry["data"], "/data")];
  return { wrong, missing: required.filter((pointer) => !shown.has(pointer)) };
}
