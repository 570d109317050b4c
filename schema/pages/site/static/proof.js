// The proof of an event, in the page that shows it: reads the data, runs the checks, and shows the
// results in the panel. The verified head is stored for the next visit.

import { read } from "./log_data.js";
import { showOutcome } from "./outcome.js";
import { checkEvent } from "./proof_checks.js";
import { drawPath } from "./proof_path.js";

/** @typedef {import("./entry_fields.js").ShownField} ShownField */
/** @typedef {import("./proof_checks.js").CheckName} CheckName */
/** @typedef {import("./proof_checks.js").Findings} Findings */
/** @typedef {import("./proof_checks.js").SeenHead} SeenHead */

/** The storage key of the last head in this browser. */
const SEEN = "tracker.log.head";
const REST_MILLISECONDS = 400;
const CHECKS = /** @type {CheckName[]} */ (["head", "seen", "entry", "path", "texts", "page"]);

/** The heading for the first failed check. */
const ACCUSATIONS = {
  head: "The head of the log is not what its key signed",
  seen: "This is not the log that this browser saw",
  entry: "The response is not the entry",
  path: "This is not the entry that was signed",
  texts: "A text is not the one that was recorded",
  page: "This page does not show what the entry says",
};

/** @returns {SeenHead | null} */
function recallHead() {
  try {
    const kept = JSON.parse(localStorage.getItem(SEEN) ?? "null");
    return typeof kept?.note === "string" && Array.isArray(kept.keys) ? kept : null;
  } catch {
    return null; // no storage, or invalid content: as on a first visit
  }
}

/** @param {SeenHead} seen */
function keepHead(seen) {
  try {
    localStorage.setItem(SEEN, JSON.stringify(seen));
  } catch {
    // A browser without storage sees each head for the first time.
  }
}

/**
 * The fields of the entry that a page shows.
 * @param {ParentNode} page
 */
function shownFields(page) {
  const elements = [...page.querySelectorAll("[data-entry], [data-annex]")];
  return elements.map((element) => {
    const annex = element.getAttribute("data-annex");
    const as = element.getAttribute("data-as") ?? "text";
    /** @type {ShownField} */
    const field = {
      pointer: annex ?? element.getAttribute("data-entry") ?? "",
      as,
      text: (as === "link" ? element.getAttribute("href") : element.textContent) ?? "",
      annex: annex !== null,
    };
    return { element, field };
  });
}

/**
 * The summary of all checks: the state of the panel, its heading and its lead.
 * @param {Findings} found
 * @param {number} milliseconds
 */
function describe({ outcomes, size }, milliseconds) {
  const failed = CHECKS.filter((name) => outcomes[name].state === "failed");
  const unknown = CHECKS.filter((name) => outcomes[name].state === "unknown");
  const [first] = failed;
  if (first) {
    return {
      state: "bad",
      title: ACCUSATIONS[first],
      lead: `${failed.length} of ${CHECKS.length} checks failed. Keep this page, and check with another tool from another network.`,
    };
  }
  const head = size ? ` against the head of ${BigInt(size).toLocaleString("en")} events` : "";
  if (unknown.length) {
    return {
      state: "part",
      title: unknown.length === CHECKS.length ? "Not checked" : "Checked in part",
      lead: `${unknown.length} of ${CHECKS.length} checks could not be made here. That is not a sign of tampering. The commands below make them elsewhere.`,
    };
  }
  return {
    state: "ok",
    title: "In the signed log, and shown unchanged",
    lead: `Checked by your browser in ${milliseconds} ms${head}. It proves the content and the order of records, not that they are true.`,
  };
}

/**
 * @param {Element} panel
 * @param {{state: string, title: string, lead: string}} said
 */
function showVerdict(panel, { state, title, lead }) {
  panel.setAttribute("data-state", state);
  const [heading, text] = [panel.querySelector("h2"), panel.querySelector("[role=status]")];
  if (heading) heading.textContent = title;
  if (text) text.textContent = lead;
}

/**
 * Checks the event of a page, and shows the results.
 * @param {Document | Element} page
 */
async function proveEvent(page) {
  const panel = page.querySelector("[data-proof]");
  const position = panel?.getAttribute("data-proof");
  if (!panel || !position) return;
  if (!globalThis.crypto?.subtle) {
    showVerdict(panel, {
      state: "part",
      title: "This browser cannot check this page",
      lead: "Browsers compute hashes only on pages over https, or from this machine. The commands below check the event with other tools.",
    });
    return;
  }
  const began = performance.now();
  const shown = shownFields(page);
  const fields = shown.map(({ field }) => field);
  const found = await checkEvent(position, read, recallHead(), fields);
  if (found.seen) keepHead(found.seen);
  for (const name of CHECKS) showOutcome(panel, name, found.outcomes[name]);
  for (const { element, field } of shown) {
    element.toggleAttribute("data-differs", found.wrong.includes(field));
  }
  const figure = page.querySelector("[data-proof-path]");
  if (figure) drawPath(figure, found.steps, found.outcomes.path.state !== "failed");
  showMaterial(page, found);
  showVerdict(panel, describe(found, Math.round(performance.now() - began)));
}

/**
 * The checked data, for a check with other tools: the entry and the key.
 * @param {ParentNode} page
 * @param {Findings} found
 */
function showMaterial(page, found) {
  const entry = page.querySelector("[data-entry-bytes]");
  const [bytes, key] = [entry?.querySelector("pre"), page.querySelector("[data-proof-key]")];
  entry?.toggleAttribute("hidden", !found.entry);
  if (bytes) bytes.textContent = found.entry;
  if (key && found.keys.length) key.textContent = found.keys.join("\n");
}

await proveEvent(document);

/** While the time bar is dragged, many pages are shown: only the last one is checked. */
let resting = 0;
document.addEventListener("page-shown", () => {
  clearTimeout(resting);
  resting = setTimeout(() => void proveEvent(document), REST_MILLISECONDS);
});
