// Drawing of the path from an entry up to the signed root: its hashes in a line, with their neighbours
// on the side on which they are combined.

/** @typedef {import("./merkle.js").Step} Step */

const SVG = "http://www.w3.org/2000/svg";
const [WIDTH, HEIGHT, EDGE, LABEL] = [600, 130, 20, 80];
const NEIGHBOUR = { across: 18, down: 26, half: 4 };

/**
 * @param {string} name
 * @param {Record<string, string | number>} attributes
 * @param {string} text
 */
function element(name, attributes, text = "") {
  const made = document.createElementNS(SVG, name);
  for (const [attribute, value] of Object.entries(attributes)) made.setAttribute(attribute, String(value));
  made.textContent = text;
  return made;
}

/**
 * @param {Element} figure
 * @param {Step[]} steps
 * @param {boolean} leads
 */
export function drawPath(figure, steps, leads) {
  const across = (WIDTH - EDGE - LABEL) / Math.max(steps.length, 1);
  const rise = (HEIGHT - 4 * EDGE) / Math.max(steps.length, 1);
  const points = Array.from({ length: steps.length + 1 }, (_, level) => ({
    x: EDGE + level * across,
    y: HEIGHT - 2 * EDGE - level * rise,
  }));
  const drawing = element("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img" });
  const label = `${steps.length} neighbours are combined with the entry, one after the other, up to the root.`;
  drawing.setAttribute("aria-label", label);
  steps.forEach(({ side }, level) => {
    const [from, to] = [points[level], points[level + 1]];
    if (!from || !to) return;
    const [x, y] = [from.x + NEIGHBOUR.across, from.y + NEIGHBOUR.down * (side === "left" ? -1 : 1)];
    const { half } = NEIGHBOUR;
    drawing.append(
      element("line", { x1: x, y1: y, x2: to.x, y2: to.y }),
      element("line", { class: "on", x1: from.x, y1: from.y, x2: to.x, y2: to.y }),
      element("rect", { class: "sib", x: x - half, y: y - half, width: 2 * half, height: 2 * half }),
    );
  });
  points.forEach(({ x, y }, level) => {
    const end = level === 0 || level === steps.length;
    drawing.append(element("circle", { class: end ? "own" : "h", cx: x, cy: y, r: end ? 6 : 4 }));
  });
  const [first, last] = [points[0], points[points.length - 1]];
  if (first && last) {
    drawing.append(
      element("text", { x: first.x - 12, y: first.y + 20 }, "entry"),
      element("text", { x: last.x + 10, y: last.y + 4 }, "root, signed"),
    );
  }
  figure.querySelector("svg")?.remove();
  figure.append(drawing);
  figure.toggleAttribute("data-broken", !leads);
  figure.toggleAttribute("hidden", !steps.length);
}
