// Search in the documentation of a published site, which has no server: sections with all words of a query.

/** @typedef {{name: string, anchor: string, title: string, heading: string, text: string}} Section */

const MOST = 30;
/** A match in a heading counts as much as this number of matches in the text. */
const HEADING = 10;

/** The sections in which each word of a query begins a word, the best first.
 * @param {Section[]} sections @param {string} query @returns {Section[]} */
export function findSections(sections, query) {
  const words = query.toLowerCase().match(/[\p{L}\p{N}_]+/gu) ?? [];
  const starts = words.map((word) => new RegExp(`(?<![\\p{L}\\p{N}_])${word}`, "giu"));
  /** @param {Section} one */
  const score = (one) => {
    const counts = starts.map((start) => (`${one.title} ${one.heading}`.match(start)?.length ?? 0) * HEADING
      + (one.text.match(start)?.length ?? 0));
    return counts.some((count) => !count) ? 0 : counts.reduce((sum, count) => sum + Math.min(count, HEADING * 2), 0);
  };
  const scored = words.length ? sections.map((one) => ({ one, score: score(one) })).filter(({ score }) => score) : [];
  return scored.sort((a, b) => b.score - a.score).map(({ one }) => one).slice(0, MOST);
}

/** @param {Section} one @returns {HTMLLIElement} */
function item(one) {
  const li = document.createElement("li"), link = document.createElement("a"), about = document.createElement("p");
  link.href = `${one.name || "."}/index.html#${one.anchor}`;
  link.textContent = one.heading;
  about.className = "note";
  about.textContent = `${one.title}: ${one.text.slice(0, 200)}`;
  li.append(link, about);
  return li;
}

/** @param {Element} list All documents, which the results of a search replace. */
function offer(list) {
  const label = document.createElement("label"), field = document.createElement("input");
  const found = document.createElement("ol"), status = document.createElement("p");
  /** @type {Promise<Section[]> | undefined} */
  let sections;
  label.textContent = "Search the documentation ";
  field.type = "search";
  found.className = "found";
  status.setAttribute("role", "status");
  label.append(field);
  list.before(label, status, found);
  field.addEventListener("input", async () => {
    const query = field.value.trim();
    sections ??= fetch("sections.json").then((answer) => answer.json());
    const results = query ? findSections(await sections, query) : [];
    if (query !== field.value.trim()) return;
    if (query) list.remove();
    else found.after(list);
    status.textContent = query ? `${results.length || "No"} ${results.length === 1 ? "section" : "sections"}` : "";
    found.replaceChildren(...results.map(item));
  });
}

if (typeof document !== "undefined" && !document.querySelector("main search")) {
  const list = document.querySelector("main ul.found");
  if (list) offer(list);
}
