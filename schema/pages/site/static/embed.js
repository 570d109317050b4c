// Report the height of this document to the page that frames it. Without scripts the frame scrolls.
function report() {
  const height = Math.ceil(document.documentElement.getBoundingClientRect().height);
  window.parent.postMessage({ context: "iframe.resize", src: window.location.href, height }, "*");
}
if (window.parent !== window) new ResizeObserver(report).observe(document.documentElement);
