// New events of an open list: a notice above the list counts them, and a link adds them. So nothing
// moves while one reads.
//
// `data-live` of a list is the address of its events (`/events`), `data-after` the position up to which
// it is complete; its rows have their positions. The link leads to the newest rows.

/** Milliseconds before a refused stream is retried. */
const AGAIN_MILLISECONDS = 10_000;
const LIVE = "Live: new events are announced here.";
const BROKEN = "The connection was lost. New events are shown after reconnection; none is missed.";

/**
 * A list with notices of new events.
 * @typedef {{list: Element, status: Element, link: HTMLAnchorElement, stream: string, counts: boolean}} Live
 */

/**
 * @param {Element} section
 * @returns {Live | null}
 */
function liveList(section) {
  const [list, status, link] = ["ol", "[role=status]", "a[data-new]"].map((part) => section.querySelector(part));
  const stream = section.getAttribute("data-live");
  if (!list || !status || !(link instanceof HTMLAnchorElement) || !stream) return null;
  return { list, status, link, stream, counts: !section.hasAttribute("data-uncounted") };
}

/**
 * @param {number} count
 * @param {boolean} counts
 */
function wording(count, counts) {
  if (!counts) return "There are new events in the log";
  return count === 1 ? "1 new event" : `${count.toLocaleString("en")} new events`;
}

/** @param {Element} section */
function follow(section) {
  const live = liveList(section);
  if (!live) return;
  let after = section.getAttribute("data-after") ?? "0"; // then the resume token of the last event
  let last = BigInt(after);
  /** @type {bigint[]} */
  let waiting = [];
  /** @type {EventSource | null} */
  let source = null;

  const say = (/** @type {string} */ text) => {
    if (live.status.textContent !== text) live.status.textContent = text;
  };
  const tell = () => {
    const words = wording(waiting.length, live.counts);
    live.link.hidden = waiting.length === 0;
    live.link.textContent = words;
    say(waiting.length ? `${words} above the list.` : LIVE);
  };
  const open = () => {
    if (!section.isConnected) return; // the page was replaced meanwhile
    const address = new URL(live.stream, location.href);
    address.searchParams.set("after", after);
    source = new EventSource(address);
    source.onopen = tell;
    source.onmessage = ({ lastEventId }) => {
      if (!section.isConnected) return source?.close();
      const position = BigInt(lastEventId.replace(/-.*/, ""));
      if (position <= last) return; // after a reconnection events may be repeated
      [last, after] = [position, lastEventId];
      waiting.push(position);
      tell();
    };
    source.onerror = () => {
      say(BROKEN);
      if (source?.readyState === EventSource.CLOSED) setTimeout(open, AGAIN_MILLISECONDS);
    };
  };
  const insert = async () => {
    const rows = await newRows(live.link.href, newest(live.list));
    if (!rows) return location.assign(live.link.href);
    live.list.prepend(...rows);
    const shown = newest(live.list);
    waiting = waiting.filter((position) => position > shown && live.counts);
    tell();
    rows[0]?.querySelector("a")?.focus();
  };

  live.link.addEventListener("click", (event) => {
    if (event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    insert().catch(() => location.assign(live.link.href));
  });
  // A page in the back/forward cache has no open connection.
  addEventListener("pagehide", () => source?.close());
  addEventListener("pageshow", ({ persisted }) => persisted && open());
  open();
}

/**
 * The rows of the list that are newer than those shown; null if they are more than a page.
 * @param {string} address
 * @param {bigint} shown
 */
async function newRows(address, shown) {
  const answer = await fetch(address, { headers: { Accept: "text/html" } });
  if (!answer.ok) return null;
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const rows = [...page.querySelectorAll("[data-live] ol > [data-position]")];
  const fresh = rows.filter((row) => positionOf(row) > shown);
  for (const row of fresh) row.classList.add("is-new");
  return fresh.length && fresh.length === rows.length ? null : fresh.map((row) => document.adoptNode(row));
}

/** @param {Element | null} row */
const positionOf = (row) => BigInt(row?.getAttribute("data-position") ?? "0");

/**
 * The position of the newest event in a list.
 * @param {Element} list
 */
const newest = (list) => positionOf(list.querySelector("[data-position]"));

function followAll() {
  for (const section of document.querySelectorAll("[data-live]")) follow(section);
}

followAll();
document.addEventListener("page-shown", followAll);
