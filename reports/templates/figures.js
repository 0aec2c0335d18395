
// ---- figures: what a point is, its trial, and lines that can be hidden ----
for (const figure of all("[data-figure]")) {
  const panels = embedded.figures[figure.dataset.figure];
  if (!panels) continue;
  const drawings = all("svg[role=img]", figure);
  const hidden = new Set();
  const shown = panels.slice(-drawings.length);
  drawings.forEach((svg, at) => readOut(svg, shown[at], hidden));
  if (figure.matches(".lead")) continue;
  const controls = document.createElement("div");
  controls.className = "lines";
  const { choice, epochs } = panels[0];
  controls.append(...(choice && epochs ? armChoice(drawings, panels) : lineButtons(drawings, panels, hidden)));
  if (panels[0].ranges) controls.append(...rangeBrush(drawings, panels.map((panel) => panel.ranges)));
  if (panels.some((panel) => panel.epochs?.[2] > 2)) controls.append(epochAxis(figure, drawings, panels));
  if (controls.hasChildNodes()) figure.prepend(controls);
}

// A point that is no single trial leads to its trials, or to its row in a table where that stands on the page.
function isHere(link) {
  return Boolean(link) && (link.startsWith("trials?") || document.getElementById(link) !== null);
}
function whereTo(link) {
  if (!isHere(link)) return "";
  return link.startsWith("trials?") ? " \u2013 click to see its trials" : " \u2013 click to see it in the table";
}

// The point nearest to the pointer is named in a box beside it; a click follows it to its trial.
function readOut(svg, panel, hidden) {
  const REACH = 28;
  const figure = svg.closest("figure");
  const box = figure.querySelector(".readout") || figure.appendChild(document.createElement("p"));
  box.className = "readout";
  box.hidden = true;
  const ring = document.createElementNS("http://www.w3.org/2000/svg", "circle");
  ring.setAttribute("r", "6");
  ring.setAttribute("class", "ring");
  let current = null;
  let isArmed = false;

  function nearest(event) {
    const { x, y } = new DOMPoint(event.clientX, event.clientY).matrixTransform(svg.getScreenCTM().inverse());
    let found = null;
    let least = REACH * REACH;
    for (const mark of panel.marks) {
      if (hidden.has(String(mark[2]))) continue;
      const away = (mark[0] - x) ** 2 + (mark[1] - y) ** 2;
      if (away < least) { least = away; found = mark; }
    }
    return found;
  }
  function clear() {
    current = null;
    box.hidden = true;
    ring.remove();
    svg.classList.remove("leads");
  }
  function tell(event) {
    const mark = nearest(event);
    if (mark === current) return;
    if (!mark) { clear(); return; }
    current = mark;
    const [x, y, line, words, trial, link] = mark;
    const name = panel.names[line];
    box.textContent = `${name ? `${name}: ` : ""}${words}${trial ? ` – trial ${trial.slice(0, 8)}, click to see it` : whereTo(link)}`;
    ring.setAttribute("cx", x);
    ring.setAttribute("cy", y);
    svg.append(ring);
    svg.classList.toggle("leads", Boolean(trial || isHere(link)));
    box.hidden = false;
    const frame = figure.getBoundingClientRect();
    const at = new DOMPoint(x, y).matrixTransform(svg.getScreenCTM());
    const left = Math.min(at.x - frame.left + 12, frame.width - box.offsetWidth - 4);
    box.style.left = `${Math.max(left, 0)}px`;
    box.style.top = `${at.y - frame.top - box.offsetHeight - 10}px`;
  }
  svg.addEventListener("pointerdown", (event) => { isArmed = current !== null && nearest(event) === current; tell(event); });
  svg.addEventListener("pointermove", tell);
  svg.addEventListener("pointerleave", (event) => { if (event.pointerType !== "touch") clear(); });
  // Before the drawing that is touched speaks: those of a figure share one box.
  addEventListener("pointerdown", (event) => { if (!svg.contains(event.target)) clear(); }, true);
  addEventListener("keydown", (event) => { if (event.key === "Escape") clear(); });
  svg.addEventListener("click", () => {
    if (!isArmed || !current) return;
    const [, , , , trial, link] = current;
    if (trial) location.hash = `trial-${trial}`;
    else if (isHere(link)) location.hash = link;
  });
}

// A button for each line that has one name in every panel of its figure: pressed while it is shown.
function lineButtons(drawings, panels, hidden) {
  const every = panels.flatMap((panel) => Object.entries(panel.names));
  const names = new Map(every.filter(([line, name]) => name && every.every(([other, its]) => other !== line || its === name)));
  return names.size < 2 ? [] : [...names].sort(([one], [other]) => one - other).map(([line, name]) => {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = name;
    button.className = `line k-c${line % 5}`;
    button.setAttribute("aria-pressed", "true");
    button.addEventListener("click", () => {
      const isShown = hidden.delete(line);
      if (!isShown) hidden.add(line);
      button.setAttribute("aria-pressed", String(isShown));
      for (const svg of drawings) all(`.series-${line}`, svg).forEach((part) => part.classList.toggle("off", !isShown));
    });
    return button;
  });
}
