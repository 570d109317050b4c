// The time bar with scripts: a step shows another date without a new page load. A page is a
// function of its address, so the other page is fetched, and its content replaces the present one.

/** @type {AbortController | null} */
let under_way = null;

const DAY_MS = 24 * 60 * 60 * 1000;
const PAGE_DAYS = 30;
const PLAY_MS = 900;
const SWAPPED = [".notes-of-time", ".head", ".tools", ".body", ".foot"];
const BAR = ".time";

/** @param {string} day @param {number} days */
export function dayAfter(day, days) {
  return new Date(Date.parse(`${day}T00:00:00Z`) + days * DAY_MS).toISOString().slice(0, 10);
}

/** @param {string} first @param {string} second */
export function daysBetween(first, second) {
  return Math.round((Date.parse(`${second}T00:00:00Z`) - Date.parse(`${first}T00:00:00Z`)) / DAY_MS);
}

/** An address without the place within its page. @param {{ pathname: string, search: string }} address */
function pageOf({ pathname, search }) {
  return pathname + search;
}

/** The address of this page on another day. @param {string} day */
function addressOn(day) {
  const address = new URL(location.href);
  address.searchParams.set("valid", day);
  address.hash = "";
  return address;
}

/**
 * Replace this page with that of an address. The bar itself stays while it is dragged,
 * because the dragged element must not be removed.
 * @param {URL} address
 * @param {{ keepBar?: boolean, push?: boolean }} how
 */
async function show(address, { keepBar = false, push = true } = {}) {
  under_way?.abort();
  under_way = new AbortController();
  let response;
  try {
    response = await fetch(address, { signal: under_way.signal, headers: { Accept: "text/html" } });
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") return;
    location.assign(address);
    return;
  }
  if (!response.ok || response.redirected) {
    location.assign(address);
    return;
  }
  const page = new DOMParser().parseFromString(await response.text(), "text/html");
  for (const place of [...SWAPPED, keepBar ? ".time .day" : BAR]) swap(page, place);
  document.title = page.title;
  swap(page, "link[rel=canonical]");
  if (push) history.pushState(null, "", address);
  else history.replaceState(null, "", address);
  document.dispatchEvent(new CustomEvent("page-shown"));
  if (!keepBar) listen();
}

/** @param {Document} page @param {string} place */
function swap(page, place) {
  const before = document.querySelector(place);
  const after = page.querySelector(place);
  if (!before || !after) return;
  const focus = before.contains(document.activeElement) ? document.activeElement : null;
  const open = [...before.querySelectorAll("details")].map((each) => each.open);
  const at = focus && (focus.id ? `#${focus.id}` : focus.getAttribute("data-step") ? `[data-step=${focus.getAttribute("data-step")}]` : null);
  const shown = document.importNode(after, true);
  if (place === BAR) shown.querySelectorAll("details").forEach((each, number) => (each.open = open[number] ?? false));
  before.replaceWith(shown);
  if (at) {
    const again = document.querySelector(at);
    if (again instanceof HTMLElement) again.focus();
  }
}

/** @param {string} selector @returns {HTMLElement | null} */
function find(selector) {
  return document.querySelector(selector);
}

/** The dates of changes on this page. @returns {string[]} */
function changeDays() {
  return (find(".time")?.dataset.changes ?? "").split(" ").filter(Boolean);
}

/** The date for a key; null for other keys.
 * @param {string} key @param {boolean} shift @param {string} day */
export function dayOfKey(key, shift, day, days = changeDays(), today = new Date().toISOString().slice(0, 10)) {
  if (key === "ArrowLeft" || key === "ArrowDown") {
    return shift ? dayAfter(day, -1) : (days.filter((each) => each < day).at(-1) ?? null);
  }
  if (key === "ArrowRight" || key === "ArrowUp") {
    return shift ? dayAfter(day, 1) : (days.find((each) => each > day) ?? null);
  }
  if (key === "PageUp") return dayAfter(day, PAGE_DAYS);
  if (key === "PageDown") return dayAfter(day, -PAGE_DAYS);
  if (key === "Home") return days[0] ?? null;
  if (key === "End") return today;
  return null;
}

/** The picture of the ruler follows the slider, which is invisible above it.
 * @param {HTMLInputElement} slider */
function moveHand(slider) {
  const x = `${(100 * Number(slider.value)) / Math.max(1, Number(slider.max))}%`;
  const ruler = slider.closest(".ruler");
  for (const name of ["x1", "x2"]) ruler?.querySelector(".hand")?.setAttribute(name, x);
  ruler?.querySelector(".grip")?.setAttribute("cx", x);
}

/** Play: from change to change until the last one, or until it is stopped. */
let playing = 0;

function play() {
  const button = find(".step.play");
  if (playing) {
    clearInterval(playing);
    playing = 0;
    button?.setAttribute("aria-pressed", "false");
    return;
  }
  button?.setAttribute("aria-pressed", "true");
  playing = setInterval(() => {
    const field = /** @type {HTMLInputElement | null} */ (find("#valid"));
    const next = field && changeDays().find((each) => each > field.value);
    if (next) void show(addressOn(next), { push: false });
    else play();
  }, PLAY_MS);
}

function listen() {
  const slider = /** @type {HTMLInputElement | null} */ (find(".time input[type=range]"));
  const field = /** @type {HTMLInputElement | null} */ (find("#valid"));
  const start = slider?.dataset.start;
  if (slider && field && start) {
    slider.hidden = false;
    slider.addEventListener("input", () => {
      const day = dayAfter(start, Number(slider.value));
      field.value = day;
      moveHand(slider);
      slider.setAttribute("aria-valuetext", day + (changeDays().includes(day) ? ", with changes" : ""));
      void show(addressOn(day), { keepBar: true, push: false });
    });
    slider.addEventListener("change", () => void show(addressOn(dayAfter(start, Number(slider.value)))));
    slider.addEventListener("keydown", (event) => {
      const day = dayOfKey(event.key, event.shiftKey, field.value);
      if (day === null) return;
      event.preventDefault();
      void show(addressOn(day)).then(() => find(".time input[type=range]")?.focus());
    });
  }
  for (const link of document.querySelectorAll(".time a.step")) {
    if (!(link instanceof HTMLAnchorElement)) continue;
    link.addEventListener("click", (event) => {
      if (event.metaKey || event.ctrlKey || event.shiftKey || event.button) return;
      event.preventDefault();
      void show(new URL(link.href));
    });
  }
  const button = find(".step.play");
  if (button) {
    button.hidden = false;
    button.setAttribute("aria-pressed", String(Boolean(playing)));
    button.addEventListener("click", play);
  }
}

if (typeof document !== "undefined") {
  let shown_page = pageOf(location);
  document.addEventListener("page-shown", () => (shown_page = pageOf(location)));
  // Links within the page, such as the skip link, also arrive here: they need no other page.
  addEventListener("popstate", () => {
    if (pageOf(location) !== shown_page) location.reload();
  });
  listen();
}
