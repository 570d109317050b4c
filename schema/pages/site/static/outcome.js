// The outcome of a check: passed, failed with its reason, or not possible here.

import { NotChecked, NotProven } from "./bytes.js";

/** @typedef {{result: string, detail: string}} Found */
/** @typedef {Found & {state: "passed" | "failed" | "unknown"}} Outcome */

/** The mark, the name and the CSS class of an outcome. */
const MARKS = {
  passed: { mark: "✓", name: "passed", ok: "1" },
  failed: { mark: "✕", name: "failed", ok: "0" },
  unknown: { mark: "–", name: "not checked", ok: "" },
};

/**
 * @param {() => Promise<Found>} check
 * @returns {Promise<Outcome>}
 */
export async function outcome(check) {
  try {
    return { state: "passed", ...(await check()) };
  } catch (error) {
    if (error instanceof NotProven) return { state: "failed", result: "failed", detail: error.message };
    if (error instanceof NotChecked) return { state: "unknown", result: "not checked", detail: error.message };
    throw error;
  }
}

/**
 * @param {ParentNode} panel
 * @param {string} name
 * @param {Outcome} outcome
 */
export function showOutcome(panel, name, outcome) {
  const row = panel.querySelector(`[data-check="${name}"]`);
  const [mark, result, detail] = [".tickmark", ".res", "small"].map((part) => row?.querySelector(part));
  const style = MARKS[outcome.state];
  row?.setAttribute("data-ok", style.ok);
  mark?.setAttribute("aria-label", style.name);
  if (mark) mark.textContent = style.mark;
  if (result) result.textContent = outcome.result;
  if (detail) detail.textContent = outcome.detail;
}
