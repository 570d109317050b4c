// The receipt of a page: opening its panel fetches it, runs the checks, and shows the results.
// The time bar replaces parts of the page, so the listener is on the document.

/** @typedef {import("./receipt_checks.js").CheckName} CheckName */
/** @typedef {import("./outcome.js").Outcome} Outcome */

const TITLES = {
  ok: "Your browser checked the receipt of this page.",
  part: "Some checks could not be made here. That is not a sign of tampering.",
  bad: "The receipt is wrong. Keep it, and verify it with another tool from another network.",
};

/** @param {HTMLElement} panel */
async function prove(panel) {
  const { receipt = "", valid = "", position = "", query = "" } = panel.dataset;
  const status = panel.querySelector("[role=status]");
  panel.dataset["state"] = "busy";
  if (!globalThis.crypto?.subtle) {
    return say(panel, "part", "Browsers compute hashes only on pages over https, or from this machine.");
  }
  if (status) status.textContent = "Checking the receipt…";
  const response = await fetch(receipt).catch(() => null);
  const file = new Uint8Array((await response?.arrayBuffer()) ?? []);
  if (!response?.ok) return say(panel, "part", `The server issues no receipt: ${messageOf(file)}`);
  const [{ checkReceipt }, { read }, { showOutcome }] = await Promise.all([
    import("./receipt_checks.js"),
    import("./log_data.js"),
    import("./outcome.js"),
  ]);
  const outcomes = await checkReceipt(file, read, { validAt: valid, position, query });
  for (const [name, outcome] of Object.entries(outcomes)) showOutcome(panel, name, outcome);
  panel.querySelector("ol")?.removeAttribute("hidden");
  const states = Object.values(outcomes).map(({ state }) => state);
  const state = states.includes("failed") ? "bad" : states.includes("unknown") ? "part" : "ok";
  say(panel, state, TITLES[state]);
}

/**
 * @param {HTMLElement} panel
 * @param {string} state
 * @param {string} text
 */
function say(panel, state, text) {
  panel.dataset["state"] = state;
  const status = panel.querySelector("[role=status]");
  if (status) status.textContent = text;
}

/**
 * The message of an error response.
 * @param {Uint8Array<ArrayBuffer>} body
 */
function messageOf(body) {
  try {
    return JSON.parse(new TextDecoder().decode(body)).errors[0].message;
  } catch {
    return "it does not answer.";
  }
}

document.addEventListener(
  "toggle",
  (event) => {
    const tool = event.target instanceof HTMLDetailsElement && event.target.open ? event.target : null;
    const panel = tool?.querySelector("[data-receipt][data-state=none]");
    if (panel instanceof HTMLElement) void prove(panel);
  },
  true,
);
