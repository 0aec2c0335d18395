
// ---- parallel coordinates: a range drawn on an axis leaves the arms that lie in it ----
function rangeBrush(svg, { rows, left, width, lines }) {
  const NEAR = 24;
  const ranges = new Map();
  const status = document.createElement("span");
  status.setAttribute("role", "status");
  status.className = "muted";
  const clear = document.createElement("button");
  clear.type = "button";
  clear.textContent = "Clear ranges";
  clear.hidden = true;
  let start = null;

  function where(event) {
    const { x, y } = new DOMPoint(event.clientX, event.clientY).matrixTransform(svg.getScreenCTM().inverse());
    const row = rows.findIndex((each) => Math.abs(each - y) < NEAR);
    return { row, share: Math.min(Math.max((x - left) / width, 0), 1) };
  }
  function show() {
    all(".range", svg).forEach((each) => each.remove());
    for (const [row, [low, high]] of ranges) {
      const box = document.createElementNS("http://www.w3.org/2000/svg", "rect");
      const place = { x: left + low * width, y: rows[row] - 8, width: Math.max((high - low) * width, 1), height: 16 };
      for (const [key, value] of Object.entries(place)) box.setAttribute(key, value);
      box.setAttribute("class", "range");
      svg.append(box);
    }
    let count = 0;
    lines.forEach((places, at) => {
      const isIn = [...ranges].every(([row, [low, high]]) => places[row] >= low && places[row] <= high);
      count += isIn;
      all(`.line-${at}`, svg).forEach((part) => part.classList.toggle("faint", !isIn));
    });
    clear.hidden = ranges.size === 0;
    status.textContent = ranges.size ? `${count} of ${lines.length} arms` : "Draw along an axis to pick a range of it.";
  }
  svg.addEventListener("pointerdown", (event) => {
    start = where(event);
    if (start.row < 0) { start = null; return; }
    event.preventDefault();
    svg.setPointerCapture(event.pointerId);
  });
  svg.addEventListener("pointermove", (event) => {
    if (!start) return;
    const { share } = where(event);
    ranges.set(start.row, [Math.min(start.share, share), Math.max(start.share, share)]);
    show();
  });
  svg.addEventListener("pointerup", (event) => {
    if (start && Math.abs(where(event).share - start.share) < 0.01) { ranges.delete(start.row); show(); }
    start = null;
  });
  svg.addEventListener("pointercancel", () => { start = null; });
  clear.addEventListener("click", () => { ranges.clear(); show(); });
  svg.classList.add("brushed");
  show();
  return [clear, status];
}
