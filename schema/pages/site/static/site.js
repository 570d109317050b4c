// The script of all pages: copy the permanent link. Without scripts it is a link.
// The time bar replaces parts of the page, so the listener is on the document.

document.addEventListener("click", async (event) => {
  const link = event.target instanceof Element ? event.target.closest("a[data-copy-link]") : null;
  if (!(link instanceof HTMLAnchorElement) || !navigator.clipboard) return;
  event.preventDefault();
  await navigator.clipboard.writeText(link.href);
  link.textContent = "Copied";
});

// Texts of marks in drawings, by pointer and by keyboard. Without scripts the browser shows the titles.
const tip = document.createElement("p");
tip.className = "tip";
tip.hidden = true;
document.body.append(tip);

/** @param {Element} at @returns {Element | null | undefined} The mark with a text at an element. */
function markAt(at) {
  const mark = at.closest("svg :has(> title), svg [aria-label], svg.cmp[aria-label]");
  return mark ?? at.closest(".bars tr:focus-within")?.querySelector("svg[aria-label]");
}

/** @param {Event} event */
function showTip(event) {
  const mark = event.target instanceof Element ? markAt(event.target) : null;
  const title = mark?.querySelector(":scope > title");
  if (mark && title) {
    mark.setAttribute("aria-label", title.textContent ?? "");
    title.remove(); // otherwise the browser shows it as well
  }
  tip.textContent = mark?.getAttribute("aria-label") ?? "";
  tip.hidden = !tip.textContent;
  if (!mark || tip.hidden) return;
  const box = mark.getBoundingClientRect();
  const middle = event instanceof PointerEvent ? event.clientX : box.left + box.width / 2;
  const left = Math.min(Math.max(middle - tip.offsetWidth / 2, 8), innerWidth - tip.offsetWidth - 8);
  const above = box.top - tip.offsetHeight - 6;
  tip.style.left = `${left}px`;
  tip.style.top = `${above < 0 ? box.bottom + 6 : above}px`;
}

document.addEventListener("pointerover", showTip);
document.addEventListener("focusin", showTip);
document.addEventListener("keydown", (event) => { tip.hidden ||= event.key === "Escape"; });
document.addEventListener("scroll", () => { tip.hidden = true; }, { passive: true });
