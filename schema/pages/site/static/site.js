// What all pages do with scripts: copy the link that never changes. Without scripts it is a link.

for (const link of document.querySelectorAll("a[data-copy-link]")) {
  if (!(link instanceof HTMLAnchorElement) || !navigator.clipboard) continue;
  link.addEventListener("click", async (event) => {
    event.preventDefault();
    await navigator.clipboard.writeText(link.href);
    link.textContent = "Copied";
  });
}
