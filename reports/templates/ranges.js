
// ---- parallel coordinates: a range drawn on an axis leaves the arms that lie in it ----
// `shown` are the drawings of the same axes at several widths; a range is one of all of them.
function rangeBrush(drawings, shown) {
  const NEAR = 24;
  const { lines, axes } = shown[0];
  const ranges = new Map();
  const status = document.createElement("span");
  status.setAttribute("role", "status");
  status.className = "muted";
  const clear = document.createElement("button");
  clear.type = "button";
  clear.textContent = "Clear ranges";
  clear.hidden = true;
  let start = null;

  // The same by keyboard: an axis, and the two ends of its range.
  const picker = document.createElement("span");
  picker.className = "picker";
  const axis = picker.appendChild(document.createElement("select"));
  axis.setAttribute("aria-label", "Axis");
  axes.forEach(([name], at) => axis.add(new Option(name, String(at))));
  const [from, to] = [["from", "0"], ["to", "100"]].map(([word, value]) => {
    const label = picker.appendChild(document.createElement("label"));
    label.append(`${word} `);
    const end = label.appendChild(document.createElement("input"));
    Object.assign(end, { type: "range", min: "0", max: "100", value });
    return end;
  });
  axis.addEventListener("change", () => tell());
  for (const end of [from, to]) {
    end.addEventListener("input", () => {
      const [low, high] = [Number(from.value) / 100, Number(to.value) / 100];
      if (low <= 0 && high >= 1) ranges.delete(Number(axis.value));
      else ranges.set(Number(axis.value), [Math.min(low, high), Math.max(low, high)]);
      show();
    });
  }
  function tell() {
    const at = Number(axis.value);
    const ends = ranges.get(at) || [0, 1];
    const isCrossed = Number(from.value) > Number(to.value);
    [from, to].forEach((end, place) => {
      const share = ends[isCrossed ? 1 - place : place];
      end.value = String(Math.round(100 * share));
      const near = [...axes[at][1]].sort((a, b) => Math.abs(a[0] - share) - Math.abs(b[0] - share))[0];
      end.setAttribute("aria-valuetext", near ? `${end.value} % of the axis, near ${near[1]}` : `${end.value} %`);
    });
  }

  function where(event, svg, { rows, left, width }) {
    const { x, y } = new DOMPoint(event.clientX, event.clientY).matrixTransform(svg.getScreenCTM().inverse());
    const row = rows.findIndex((each) => Math.abs(each - y) < NEAR);
    return { row, share: Math.min(Math.max((x - left) / width, 0), 1) };
  }
  function paint(svg, { rows, left, width }) {
    all(".range", svg).forEach((each) => each.remove());
    for (const [row, [low, high]] of ranges) {
      const box = document.createElementNS("http://www.w3.org/2000/svg", "rect");
      const place = { x: left + low * width, y: rows[row] - 8, width: Math.max((high - low) * width, 1), height: 16 };
      for (const [key, value] of Object.entries(place)) box.setAttribute(key, value);
      box.setAttribute("class", "range");
      svg.append(box);
    }
  }
  function show() {
    drawings.forEach((svg, at) => paint(svg, shown[at]));
    let count = 0;
    lines.forEach((places, at) => {
      const isIn = [...ranges].every(([row, [low, high]]) => places[row] >= low && places[row] <= high);
      count += isIn;
      for (const svg of drawings) all(`.line-${at}`, svg).forEach((part) => part.classList.toggle("faint", !isIn));
    });
    clear.hidden = ranges.size === 0;
    tell();
    status.textContent = ranges.size ? `${count} of ${lines.length} arms` : "Draw along an axis, or choose one, to pick a range of it.";
  }
  drawings.forEach((svg, at) => {
    svg.addEventListener("pointerdown", (event) => {
      start = where(event, svg, shown[at]);
      if (start.row < 0) { start = null; return; }
      event.preventDefault();
      svg.setPointerCapture(event.pointerId);
    });
    svg.addEventListener("pointermove", (event) => {
      if (!start) return;
      const { share } = where(event, svg, shown[at]);
      ranges.set(start.row, [Math.min(start.share, share), Math.max(start.share, share)]);
      show();
    });
    svg.addEventListener("pointerup", (event) => {
      if (start && Math.abs(where(event, svg, shown[at]).share - start.share) < 0.01) { ranges.delete(start.row); show(); }
      start = null;
    });
    svg.addEventListener("pointercancel", () => { start = null; });
    svg.classList.add("brushed");
  });
  clear.addEventListener("click", () => { ranges.clear(); show(); });
  show();
  return [picker, clear, status];
}
