
// A long list of choices is filled when a reader first comes to it: until then the page is spared its elements.
function fillWhenOpened(select, count, fill) {
  const FEW = 200;
  if (count <= FEW) { fill(); return; }
  const KINDS = ["pointerdown", "focus"];
  const open = () => {
    KINDS.forEach((kind) => select.removeEventListener(kind, open));
    fill();
  };
  KINDS.forEach((kind) => select.addEventListener(kind, open));
}

// ---- learning curves of chosen arms: what a reader adds is drawn into the axes that stand there ----
function armChoice(drawings, panels) {
  const MOST = 5;
  const { lines, epochs, shown: first } = panels[0].choice;
  let isListed = false;
  const shown = new Map(first);
  const label = document.createElement("label");
  label.className = "add";
  label.textContent = "Arms ";
  const select = label.appendChild(document.createElement("select"));
  const chips = document.createElement("span");
  chips.className = "chips";

  function redraw() {
    drawings.forEach((svg, at) => drawArms(svg, panels[at], shown, lines, epochs));
    controls();
  }
  function controls() {
    chips.replaceChildren(...[...shown].map(([slot, at]) => {
      const chip = document.createElement("button");
      chip.type = "button";
      chip.className = `line k-c${slot}`;
      chip.textContent = `${lines[at][0]} \u00d7`;
      chip.setAttribute("aria-label", `Remove ${lines[at][0]}`);
      chip.disabled = shown.size === 1;
      chip.addEventListener("click", () => { shown.delete(slot); redraw(); select.focus(); });
      return chip;
    }));
    const taken = new Set(shown.values());
    const isFull = shown.size >= MOST;
    select.replaceChildren(new Option(isFull ? `${MOST} at most: remove one` : "Add an arm", ""));
    if (isListed) lines.forEach(([name], at) => { if (!taken.has(at)) select.add(new Option(name, String(at))); });
    select.disabled = isFull;
  }
  select.addEventListener("change", () => {
    const free = [...Array(MOST).keys()].find((slot) => !shown.has(slot));
    if (select.value === "" || free === undefined) return;
    shown.set(free, Number(select.value));
    redraw();
    select.focus();
  });
  controls();
  fillWhenOpened(select, lines.length, () => { isListed = true; controls(); });
  return [label, chips];
}

function drawArms(svg, panel, shown, lines, epochs) {
  const place = epochPlace(panel.epochs, false);
  const [isWide, top, zero, end] = panel.choice.scale;
  const rise = (error) => (!isWide || error <= 1 ? (isWide ? error / 2 : error) : 0.5 + Math.log10(error));
  const height = (error) => zero + (end - zero) * (rise(error) / rise(top));

  function make(name, attributes, text) {
    const made = document.createElementNS("http://www.w3.org/2000/svg", name);
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    if (text !== undefined) made.textContent = text;
    svg.append(made);
  }
  const path = (points) => `M${points.map(([x, y]) => `${x.toFixed(1)} ${y.toFixed(1)}`).join("L")}`;
  function band(slot, points) {
    make("path", { d: `${path(points)}z`, "fill-opacity": "0.16", class: `f-c${slot} by-epoch series-${slot}` });
  }
  function curve(slot, points, isDashed) {
    const style = isDashed ? { "stroke-dasharray": "4.4 2.64", "stroke-width": "1.1" } : { "stroke-width": "1.7" };
    make("path", { d: path(points), fill: "none", class: `s-c${slot} by-epoch series-${slot}`, ...style });
  }
  function drawArm(slot, at) {
    const [name, which, test, train, low, high] = lines[at];
    const across = epochs[which].map(place);
    if (low) band(slot, [...across.map((x, place) => [x, height(high[place])]), ...across.map((x, place) => [x, height(low[place])]).reverse()]);
    const points = across.map((x, place) => [x, height(test[place])]);
    curve(slot, across.map((x, place) => [x, height(train[place])]), true);
    curve(slot, points, false);
    panel.names[slot] = name;
    points.forEach(([x, y], place) => panel.marks.push([x, y, slot, `epoch ${epochs[which][place]}: ${test[place].toFixed(2)} % test, ${train[place].toFixed(2)} % training`, ""]));
    return { slot, name, y: points.at(-1)[1] };
  }

  all("[class*=series-]", svg).forEach((each) => each.remove());
  panel.names = {};
  panel.marks = [];
  delete panel.linear;
  nameEnds([...shown].map(([slot, at]) => drawArm(slot, at)), panel.epochs[1], [zero, end], make);
  if (panel.isLog) moveEpochs(svg, panel, true);
}

// Each line's marker and name right of its end; names leave out what all of them share, and the paths of factors where
// they have no room for them.
function nameEnds(ends, last, [lowest, highest], make) {
  const GAP = 12.5;
  const LONGEST = 16;
  const MOST_ROWS = Math.min(4, Math.max(2, Math.floor((lowest - highest) / (GAP * ends.length))));
  const SHAPES = ["m-2.5 0a2.5 2.5 0 1 0 5 0a2.5 2.5 0 1 0-5 0z", "m-2.5-2.5h5v5h-5z", "m0-2.5l2.5 5h-5z", "m0-3.3l3.3 3.3l-3.3 3.3l-3.3-3.3z", "m0 2.5l2.5-5h-5z"];
  const levels = (name) => name.replace(/ \(every seed fails\)$/, "").split(/, (?![^()]*\))/);
  const every = ends.map((end) => levels(end.name));
  const isShared = (level) => ends.length > 1 && every.every((own) => own.includes(level));
  function wrapped(text) {
    if (text.length <= LONGEST) return [text];
    const space = text.lastIndexOf(" ", LONGEST);
    return space > 0 ? [text.slice(0, space), ...wrapped(text.slice(space + 1))] : [text.slice(0, LONGEST), ...wrapped(text.slice(LONGEST))];
  }
  function inRows(own) {
    const made = [];
    for (const level of own) {
      const at = made.length - 1;
      if (at >= 0 && made[at].length + 2 + level.length <= LONGEST) { made[at] += `, ${level}`; continue; }
      if (at >= 0) made[at] += ",";
      made.push(...wrapped(level));
    }
    return made;
  }
  function rows(name) {
    const different = levels(name).filter((level) => !isShared(level));
    const own = different.length ? different : levels(name);
    const whole = inRows(own);
    const made = whole.length > MOST_ROWS ? inRows(own.map((level) => level.replace(/^(?:\w+\.)+(?=\w+ )/, ""))) : whole;
    return made.length > MOST_ROWS ? [...made.slice(0, MOST_ROWS - 1), `${made[MOST_ROWS - 1]}\u2026`] : made;
  }
  const labels = ends.map((end) => ({ ...end, words: rows(end.name) })).sort((a, b) => b.y - a.y);
  let free = lowest;
  for (const label of labels) {
    const half = (GAP * (label.words.length - 1)) / 2;
    label.at = Math.min(label.y, free - half);
    free = label.at - half - GAP;
  }
  free = highest;
  for (const label of [...labels].reverse()) {
    const half = (GAP * (label.words.length - 1)) / 2;
    label.at = Math.max(label.at, free + half);
    free = label.at + half + GAP;
  }
  for (const { slot, words, y, at } of labels) {
    const dot = { class: `f-c${slot} series-${slot}` };
    make("path", { d: `M${last} ${y.toFixed(1)}${SHAPES[slot]}`, ...dot });
    make("path", { d: `M${last + 12} ${at.toFixed(1)}${SHAPES[slot]}`, ...dot });
    words.forEach((text, row) => make("text", { x: last + 18, y: at + 3.7 + GAP * (row - (words.length - 1) / 2), "font-size": "10.5", class: `f-ink series-${slot}` }, text));
  }
}
