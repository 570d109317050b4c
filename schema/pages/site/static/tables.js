// Sortable tables: a click on the head of a column sorts its rows, a second click reverses them. Without
// scripts tables keep the order of the page. Grouped tables and drawings are not sorted.

/** The value of a cell: the number of a <data>, the date of a <time>, or else its text.
 * @param {HTMLTableRowElement} row @param {number} column @returns {string | number} */
export function cellValue(row, column) {
  const cell = row.cells[column];
  const data = cell?.querySelector("data");
  if (data instanceof HTMLDataElement && data.value.trim() && !Number.isNaN(Number(data.value))) return Number(data.value);
  const time = cell?.querySelector("time");
  return time instanceof HTMLTimeElement ? time.dateTime : (cell?.textContent ?? "").trim();
}

/** Compare two values; empty ones come last in both directions.
 * @param {string | number} first @param {string | number} second @param {boolean} down */
export function compareValues(first, second, down) {
  if (first === "" || second === "") return Number(first === "") - Number(second === "");
  const order = typeof first === "number" && typeof second === "number"
    ? first - second
    : String(first).localeCompare(String(second), "en", { numeric: true });
  return down ? -order : order;
}

/** @param {HTMLTableElement} table @param {HTMLTableCellElement} head */
function sort(table, head) {
  const down = head.getAttribute("aria-sort") === "ascending";
  for (const each of table.tHead?.rows[0]?.cells ?? []) each.removeAttribute("aria-sort");
  head.setAttribute("aria-sort", down ? "descending" : "ascending");
  const column = head.cellIndex;
  const rows = [...(table.tBodies[0]?.rows ?? [])];
  rows.sort((a, b) => compareValues(cellValue(a, column), cellValue(b, column), down));
  table.tBodies[0]?.append(...rows);
}

function listen() {
  for (const table of document.querySelectorAll("table:not(.bars):not([data-sortable])")) {
    if (!(table instanceof HTMLTableElement) || table.tHead?.rows.length !== 1 || table.tBodies.length !== 1) continue;
    if ((table.tBodies[0]?.rows.length ?? 0) < 3 || table.querySelector("[rowspan], [colspan], .depth-1")) continue;
    table.dataset.sortable = "";
    for (const head of table.tHead.rows[0]?.cells ?? []) {
      if (!head.textContent?.trim() || head.querySelector(".vh, a, button")) continue;
      const button = document.createElement("button");
      button.type = "button";
      button.className = "sort";
      button.append(...head.childNodes);
      head.append(button);
      button.addEventListener("click", () => sort(table, head));
    }
  }
}

if (typeof document !== "undefined") {
  listen();
  document.addEventListener("page-shown", listen);
}
