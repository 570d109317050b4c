// Keys of the pages of review. The page defines the keys: links, buttons and collapsed forms have
// `data-key`; rows of the queue have `data-row`, and a checkbox. Everything also works without scripts.
//
// Keys are single letters, so they can be turned off (WCAG 2.1.4); this browser remembers it.

const OFF = "review-keys-off";
const FIELDS = "input, select, textarea, [contenteditable]";

const areOff = () => localStorage.getItem(OFF) === "true";

/** @param {number} step */
function move(step) {
  const rows = [...document.querySelectorAll("a[data-row]")];
  const at = rows.indexOf(/** @type {Element} */ (document.activeElement));
  const row = rows[at < 0 ? 0 : Math.max(0, Math.min(rows.length - 1, at + step))];
  if (row instanceof HTMLElement) row.focus();
  return rows.length > 0;
}

/** Mark the row with the focus, or unmark it. */
function mark() {
  const box = document.activeElement?.closest("li")?.querySelector("input[name=marked]");
  if (!(box instanceof HTMLInputElement)) return false;
  box.checked = !box.checked;
  return true;
}

/**
 * Activate an element: follow it, press it, or open it and focus its first field.
 * @param {HTMLElement} element
 */
function use(element) {
  if (!(element instanceof HTMLDetailsElement)) return element.click();
  element.open = element.id !== "keys" || !element.open;
  const field = element.querySelector("form input:not([type=hidden])") ?? element.querySelector("summary");
  if (field instanceof HTMLElement) field.focus();
}

/** @param {string} key */
function elementFor(key) {
  return [...document.querySelectorAll("[data-key]")].find((each) =>
    each.getAttribute("data-key")?.split(" ").includes(key),
  );
}

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing || event.repeat || areOff()) return;
  const at = event.target;
  if (at instanceof HTMLElement && at.matches(FIELDS)) {
    if (event.key === "Escape") at.blur();
    return;
  }
  const element = elementFor(event.key);
  if (element instanceof HTMLElement) use(element);
  else if (!(event.key === "j" && move(1)) && !(event.key === "k" && move(-1)) && !(event.key === "x" && mark()))
    return;
  event.preventDefault();
});

/** Announce the last action again, because screen readers do not announce it on a new page. */
function announce() {
  const status = document.querySelector("[data-done]");
  const words = status?.getAttribute("data-done");
  if (!status || !words) return;
  const said = [...status.childNodes];
  status.replaceChildren();
  setTimeout(() => status.replaceChildren(...said), 100);
}

function focusOnLoad() {
  const first = document.querySelector("[data-focus]") ?? document.querySelector("h1[tabindex]");
  if (first instanceof HTMLElement && document.activeElement === document.body) first.focus({ preventScroll: true });
}

for (const button of document.querySelectorAll("button[data-shortcuts]")) {
  if (!(button instanceof HTMLButtonElement)) continue;
  const show = () => {
    button.textContent = areOff() ? "Keys are off" : "Keys are on";
    button.setAttribute("aria-pressed", String(!areOff()));
  };
  button.hidden = false;
  button.addEventListener("click", () => {
    localStorage.setItem(OFF, String(!areOff()));
    show();
  });
  show();
}
announce();
focusOnLoad();
