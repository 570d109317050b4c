// What all pages do with scripts: copy the link that never changes. Without scripts it is a link.
// The foot of a page is replaced when one steps through time, so the document listens.

document.addEventListener("click", async (event) => {
  const link = event.target instanceof Element ? event.target.closest("a[data-copy-link]") : null;
  if (!(link instanceof HTMLAnchorElement) || !navigator.clipboard) return;
  event.preventDefault();
  await navigator.clipboard.writeText(link.href);
  link.textContent = "Copied";
});
