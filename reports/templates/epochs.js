
// ---- learning curves: epochs on a linear or a logarithmic axis ----
// What is tagged by-epoch moves sideways, points of read-outs with it; the axis gets other ticks.
function epochAxis(figure, drawings, panels) {
  const button = document.createElement("button");
  button.type = "button";
  button.textContent = "Logarithmic epochs";
  button.setAttribute("aria-pressed", "false");
  button.addEventListener("click", () => {
    const isLog = button.getAttribute("aria-pressed") === "false";
    button.setAttribute("aria-pressed", String(isLog));
    drawings.forEach((svg, at) => { if (panels[at].epochs) moveEpochs(svg, panels[at], isLog); });
  });
  return button;
}

function epochPlace([first, last, epochs], isLog) {
  return (epoch) => first + (last - first) * (isLog ? Math.log(Math.max(epoch, 1)) / Math.log(epochs) : (epoch - 1) / (epochs - 1));
}

function moveEpochs(svg, panel, isLog) {
  const [first, last, epochs] = panel.epochs;
  const place = epochPlace(panel.epochs, isLog);
  const move = (x) => place(1 + ((x - first) / (last - first)) * (epochs - 1));
  const set = (element, name, change) => {
    const key = `linear${name}`;
    element.dataset[key] ??= element.getAttribute(name);
    element.setAttribute(name, isLog ? change(element.dataset[key]) : element.dataset[key]);
  };
  const path = (d) => movedPath(d, move);
  for (const part of all(":not(g).by-epoch, .by-epoch use", svg)) {
    if (part.matches("path")) set(part, "d", path);
    else if (part.getAttribute("x") === "0") set(svg.querySelector(`[id="${part.getAttribute("href").slice(1)}"]`), "d", path);
    else set(part, "x", (x) => move(Number(x)).toFixed(1));
  }
  panel.linear ??= panel.marks.map((mark) => mark[0]);
  panel.marks.forEach((mark, at) => { mark[0] = isLog ? move(panel.linear[at]) : panel.linear[at]; });
  panel.isLog = isLog;
  logTicks(svg, place, epochs, isLog);
}

function logTicks(svg, place, epochs, isLog) {
  const ROOM = 24;
  all(".log-tick", svg).forEach((each) => each.remove());
  const ticks = all("use.epoch-axis", svg);
  const numbers = all("text.epoch-axis", svg).filter((each) => /^\d+$/.test(each.textContent));
  for (const each of [...ticks, ...numbers]) each.classList.toggle("off", isLog);
  if (!isLog) return;
  let free = -Infinity;
  for (let power = 1; power <= epochs; power *= 10) {
    for (const epoch of [power, 2 * power, 5 * power].filter((each) => each <= epochs)) {
      const x = place(epoch);
      const made = [ticks[0].cloneNode()];
      if (x >= free) {
        made.push(numbers[0].cloneNode());
        made[1].textContent = String(epoch);
        free = x + ROOM;
      }
      for (const each of made) {
        each.classList.remove("off");
        each.classList.add("log-tick");
        each.setAttribute("x", x.toFixed(1));
        svg.append(each);
      }
    }
  }
}

// A path of straight pieces, in relative steps, with every point moved sideways.
function movedPath(d, move) {
  const tokens = d.match(/[MLlz]|-?[\d.]+/g);
  const parts = [];
  let [command, x, y] = ["", 0, 0];
  for (let at = 0; at < tokens.length;) {
    if (/[MLlz]/.test(tokens[at])) command = tokens[at++];
    if (command === "z") { parts.push("z"); continue; }
    const [across, down] = [Number(tokens[at]), Number(tokens[at + 1])];
    at += 2;
    [x, y] = command === "l" ? [x + across, y + down] : [across, down];
    parts.push(`${command === "M" ? "M" : "L"}${move(x).toFixed(1)} ${y.toFixed(1)}`);
  }
  return parts.join("");
}
