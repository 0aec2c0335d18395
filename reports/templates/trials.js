// ---- trials ----
if (embedded.trials) trialsTable(embedded.trials);

function trialsTable({ ids, columns, sparks, arms }) {
  const PAGE = 50;
  const LETTERS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz-_";
  const section = document.getElementById("trials");
  const body = section.querySelector("tbody");
  const input = document.getElementById("filter");
  const status = document.getElementById("filter-status");
  const [previous, next] = all("[data-step]", section);
  const heads = new Map(all("th[data-key]", section).map((head) => [head.dataset.key, head]));
  const byKey = new Map(columns.map((column) => [column.key.toLowerCase(), column]));
  const rank = new Map(ids.map((id, row) => [id, row]));
  const counted = (number) => number.toLocaleString("en");
  const state = { query: "", sort: "", descending: false, page: 0 };
  let rows = ids.map((_, row) => row);
  let problem = "";

  const value = (column, row) => (column.words ? column.words[column.values[row]] : column.values[row]);

  function time(seconds) {
    if (seconds < 9.95) return `${seconds.toFixed(1)}\u00a0s`;
    const whole = Math.round(seconds);
    if (whole < 60) return `${whole}\u00a0s`;
    const [size, big, small, part] = whole < 3600 ? [60, "min", "s", 1] : whole < 172800 ? [3600, "h", "min", 60] : [86400, "d", "h", 3600];
    const rest = Math.floor((whole % size) / part);
    return `${Math.floor(whole / size)}\u00a0${big}${rest ? `\u00a0${rest}\u00a0${small}` : ""}`;
  }
  function text(column, row) {
    const found = value(column, row);
    if (found === null) return "\u2013";
    if (column.kind === "error") return found.toFixed(2);
    if (column.kind === "time") return time(found);
    column.texts ??= new Map(column.shown);
    return column.texts.get(found) ?? String(found);
  }

  const TESTS = { ":": (a, b) => a === b, "=": (a, b) => a === b, ">": (a, b) => a > b, "<": (a, b) => a < b, ">=": (a, b) => a >= b, "<=": (a, b) => a <= b };
  function condition(token) {
    const parts = /^([^:<>=]+)(>=|<=|[:<>=])(.*)$/.exec(token);
    const unquoted = (string) => string.replace(/^"(.*)"$/, "$1").toLowerCase();
    if (!parts) {
      const word = unquoted(token);
      return (row) => ids[row].includes(word) || columns.some((column) => column.words && value(column, row).toLowerCase().includes(word));
    }
    const [, key, sign, raw] = parts;
    const wanted = unquoted(raw);
    if (key.toLowerCase() === "id") return (row) => ids[row].startsWith(wanted);
    const column = byKey.get(key.toLowerCase());
    if (!column) { problem = `No column is called "${key}".`; return () => true; }
    if (column.words) {
      const hit = column.words.map((word) => (sign === "=" ? word.toLowerCase() === wanted : word.toLowerCase().includes(wanted)));
      return (row) => hit[column.values[row]];
    }
    const number = Number(wanted);
    if (wanted === "" || Number.isNaN(number)) { problem = `"${raw}" is not a number.`; return () => true; }
    return (row) => column.values[row] !== null && TESTS[sign](column.values[row], number);
  }

  function arrange() {
    problem = "";
    const tokens = state.query.match(/[^\s"]*"[^"]*"|\S+/g) || [];
    const tests = tokens.map(condition);
    rows = [];
    for (let row = 0; row < ids.length; row++) if (tests.every((test) => test(row))) rows.push(row);
    const column = byKey.get(state.sort.toLowerCase());
    if (column) {
      const sign = state.descending ? -1 : 1;
      const order = column.words ? ranks(column.words) : null;
      const key = (row) => (order ? order[column.values[row]] : column.values[row]);
      rows.sort((a, b) => {
        const [first, second] = [key(a), key(b)];
        if (first === null || second === null) return (first === null) - (second === null) || a - b;
        return sign * (first - second) || a - b;
      });
    }
    state.page = Math.min(state.page, Math.max(0, Math.ceil(rows.length / PAGE) - 1));
  }
  function ranks(words) {
    const sorted = words.map((_, at) => at).sort((a, b) => words[a].localeCompare(words[b], "en", { numeric: true }));
    const order = [];
    sorted.forEach((at, place) => { order[at] = place; });
    return order;
  }

  function element(name, content, className) {
    const made = document.createElement(name);
    if (content !== undefined) made.textContent = content;
    if (className) made.className = className;
    return made;
  }
  function spark(letters) {
    const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
    svg.setAttribute("viewBox", "0 0 64 16");
    svg.setAttribute("class", "spark");
    svg.setAttribute("aria-hidden", "true");
    const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
    const last = letters.length - 1;
    path.setAttribute("d", "M" + [...letters].map((letter, at) => `${Math.round((64 * at) / last)} ${15 - Math.round((14 * LETTERS.indexOf(letter)) / 63)}`).join("L"));
    svg.append(path);
    return svg;
  }
  function line(row) {
    const made = document.createElement("tr");
    made.id = `trial-${ids[row]}`;
    const link = element("a");
    link.href = `#trial-${ids[row]}`;
    link.append(element("code", ids[row].slice(0, 8)));
    const first = element("td");
    first.append(link);
    const last = element("td");
    if (sparks[row].length > 1) last.append(spark(sparks[row]));
    made.append(first, ...columns.map((column) => element("td", text(column, row), column.kind === "text" ? "" : column.kind === "arm" ? "short" : "number")), last);
    return made;
  }

  function draw() {
    const start = state.page * PAGE;
    body.replaceChildren(...rows.slice(start, start + PAGE).map(line));
    const isWhole = rows.length <= PAGE;
    previous.hidden = next.hidden = isWhole;
    previous.parentElement.classList.toggle("whole", rows.length === ids.length && isWhole);
    previous.disabled = state.page === 0;
    next.disabled = start + PAGE >= rows.length;
    const range = rows.length > PAGE ? `${counted(start + 1)} to ${counted(Math.min(start + PAGE, rows.length))}` : "";
    const count = rows.length === ids.length
      ? `${range && `${range} of `}${counted(ids.length)} trials`
      : `${counted(rows.length)} of ${counted(ids.length)} trials match${range && `; ${range} are shown`}`;
    status.textContent = `${problem} ${rows.length ? count : "No trial matches."}`.trim();
    for (const [key, head] of heads) {
      if (key === state.sort) head.setAttribute("aria-sort", state.descending ? "descending" : "ascending");
      else head.removeAttribute("aria-sort");
    }
  }
  function remember() {
    const parts = new URLSearchParams();
    if (state.query) parts.set("q", state.query);
    if (state.sort) parts.set("sort", (state.descending ? "-" : "") + state.sort);
    if (state.page) parts.set("page", String(state.page + 1));
    const hash = parts.size ? `#trials?${parts}` : "#trials";
    try { history.replaceState(null, "", hash); } catch { /* some viewers forbid it */ }
  }
  function update() { arrange(); draw(); remember(); }

  function follow() {
    let hash = location.hash;
    try { hash = decodeURIComponent(hash); } catch { /* a broken link is shown as it is */ }
    if (hash.startsWith("#trials?")) {
      const parts = new URLSearchParams(location.hash.slice("#trials?".length));
      const sort = parts.get("sort") || "";
      state.query = input.value = parts.get("q") || "";
      state.descending = sort.startsWith("-");
      state.sort = sort.replace(/^-/, "");
      state.page = Math.max(0, (parseInt(parts.get("page"), 10) || 1) - 1);
      arrange();
      draw();
      section.scrollIntoView();
    } else if (hash.startsWith("#trial-") && rank.has(hash.slice(7))) {
      const row = rank.get(hash.slice(7));
      if (!rows.includes(row)) { state.query = input.value = ""; arrange(); }
      state.page = Math.floor(rows.indexOf(row) / PAGE);
      draw();
      const target = document.getElementById(`trial-${ids[row]}`);
      target.classList.add("target");
      tellSettings(target, arms.words[arms.values[row]]);
      target.scrollIntoView({ block: "center" });
    }
  }

  // Below a trial that is linked to: what its arm sets otherwise than the baseline.
  function tellSettings(target, arm) {
    const { arms: named, rows: settings } = embedded.armSettings || { arms: [], rows: [] };
    const own = settings.filter(([at]) => named[at] === arm);
    if (!own.length) return;
    const cell = element("td");
    cell.colSpan = target.cells.length;
    const shown = element("table", undefined, "plain");
    shown.append(element("caption", `Settings of ${arm} that differ from its baseline`));
    const lines = [["setting", "baseline", "this trial"], ...own.map(([, ...cells]) => cells)];
    lines.forEach((words, at) => shown.insertRow().append(...words.map((word) => {
      const made = element(at ? "td" : "th", word);
      if (!at) made.scope = "col";
      return made;
    })));
    cell.append(shown);
    const below = element("tr", undefined, "of-trial");
    below.append(cell);
    target.after(below);
  }

  for (const [key, head] of heads) {
    const button = element("button");
    button.append(...head.childNodes);
    button.type = "button";
    button.addEventListener("click", () => {
      state.descending = state.sort === key && !state.descending;
      state.sort = key;
      state.page = 0;
      update();
    });
    head.replaceChildren(button);
  }
  let pending = 0;
  input.addEventListener("input", () => {
    clearTimeout(pending);
    pending = setTimeout(() => { state.query = input.value; state.page = 0; update(); }, 80);
  });
  for (const button of [previous, next]) {
    button.addEventListener("click", () => { state.page += Number(button.dataset.step); update(); });
  }
  show("#trials .tools");
  show("#trials .pager");
  all(".static-only").forEach((each) => { each.hidden = true; });
  addEventListener("hashchange", follow);
  arrange();
  draw();
  follow();
}
