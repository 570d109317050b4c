// The time bar with scripts: a step shows the page of another day without leaving it. A page is a
// function of its address, so that page is fetched, and its content takes the place of the one shown.

/** @type {AbortController | null} */
let under_way = null;

const DAY_MS = 24 * 60 * 60 * 1000;
const PAGE_DAYS = 30;
const PLAY_MS = 900;
const SWAPPED = ["#content", ".foot", ".notes-of-time", ".tools"];

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
 * Show the page of an address in the place of this one. The bar itself stays while one drags it,
 * since what one holds must not be taken away.
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
  for (const place of keepBar ? SWAPPED : [...SWAPPED, ".time"]) swap(page, place);
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
  const at = focus && (focus.id ? `#${focus.id}` : focus.getAttribute("data-step") ? `[data-step=${focus.getAttribute("data-step")}]` : null);
  before.replaceWith(document.importNode(after, true));
  if (at) {
    const again = document.querySelector(at);
    if (again instanceof HTMLElement) again.focus();
  }
}

/** @param {string} selector @returns {HTMLElement | null} */
function find(selector) {
  return document.querySelector(selector);
}

/** The days on which something on this page turns. @returns {string[]} */
function turns() {
  return (find(".time")?.dataset.turns ?? "").split(" ").filter(Boolean);
}

/** The day to which a key leads; null: it leads nowhere.
 * @param {string} key @param {boolean} shift @param {string} day */
export function dayOfKey(key, shift, day, days = turns(), today = new Date().toISOString().slice(0, 10)) {
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

/** The picture of the ruler follows the slider, which lies over it unseen.
 * @param {HTMLInputElement} slider */
function moveHand(slider) {
  const x = `${(100 * Number(slider.value)) / Math.max(1, Number(slider.max))}%`;
  const ruler = slider.closest(".ruler");
  for (const name of ["x1", "x2"]) ruler?.querySelector(".hand")?.setAttribute(name, x);
  ruler?.querySelector(".grip")?.setAttribute("cx", x);
}

/** Play: from turn to turn until there is none, or somebody stops it. */
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
    const next = field && turns().find((each) => each > field.value);
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
      slider.setAttribute("aria-valuetext", day + (turns().includes(day) ? ", something turns" : ""));
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
  // Also a link within the page comes here, such as the one past its head: that needs no other page.
  addEventListener("popstate", () => {
    if (pageOf(location) !== shown_page) location.reload();
  });
  listen();
}
