"use strict";
// The page reads without this script; it adds a theme, copying, and a table of trials that sorts, filters and pages.
const root = document.documentElement;
const embedded = JSON.parse(document.getElementById("embedded").textContent);
const all = (selector, within = document) => [...within.querySelectorAll(selector)];
const show = (selector) => all(selector).forEach((element) => { element.hidden = false; });

// ---- theme ----
{
  const button = document.querySelector(".theme");
  const prefersDark = matchMedia("(prefers-color-scheme: dark)");
  const stored = () => { try { return localStorage.getItem("report-theme"); } catch { return null; } };
  const isDark = () => (root.dataset.theme ? root.dataset.theme === "dark" : prefersDark.matches);
  const label = () => { button.textContent = isDark() ? "Light theme" : "Dark theme"; };
  if (stored() === "dark" || stored() === "light") root.dataset.theme = stored();
  button.addEventListener("click", () => {
    root.dataset.theme = isDark() ? "light" : "dark";
    try { localStorage.setItem("report-theme", root.dataset.theme); } catch { /* private windows have no storage */ }
    label();
  });
  prefersDark.addEventListener("change", label);
  button.hidden = false;
  label();
}

// ---- contents: mark the section in view ----
{
  const links = new Map(all(".contents a").map((link) => [link.hash.slice(1), link]));
  const visible = new Set();
  const observer = new IntersectionObserver((entries) => {
    for (const entry of entries) entry.isIntersecting ? visible.add(entry.target.id) : visible.delete(entry.target.id);
    const first = [...links.keys()].find((id) => visible.has(id));
    for (const [id, link] of links) id === first ? link.setAttribute("aria-current", "true") : link.removeAttribute("aria-current");
  }, { rootMargin: "0px 0px -55% 0px" });
  all("main > section").forEach((section) => observer.observe(section));
}

// ---- printing opens what is folded ----
{
  let opened = [];
  addEventListener("beforeprint", () => { opened = all("details:not([open])"); opened.forEach((each) => { each.open = true; }); });
  addEventListener("afterprint", () => opened.forEach((each) => { each.open = false; }));
}

// ---- tab stops only where something scrolls ----
{
  const boxes = all(".scroll, pre");
  const mark = () => boxes.forEach((box) => {
    if (box.scrollWidth > box.clientWidth + 1 || box.scrollHeight > box.clientHeight + 1) box.tabIndex = 0; else box.removeAttribute("tabindex");
  });
  mark();
  addEventListener("resize", mark);
  all("details").forEach((each) => each.addEventListener("toggle", mark));
}

// ---- while a study runs: how old the page is, and the page anew every minute ----
if (document.body.hasAttribute("data-live")) {
  const age = document.querySelector(".age");
  const latest = age ? Date.parse(age.dataset.latest) : NaN;
  const tell = () => {
    const minutes = Math.floor((Date.now() - latest) / 60000);
    const hours = Math.floor(minutes / 60);
    const since = minutes < 1 ? "less than a minute" : hours ? `${hours} h ${minutes % 60} min` : `${minutes} min`;
    if (age && minutes < 2880) age.textContent = `Last result on this page: ${since} ago.`;
  };
  tell();
  setInterval(tell, 20000);
  setInterval(() => {
    const isReading = document.activeElement?.matches("input, summary, button") || document.querySelector("details[open]");
    if (!isReading) location.reload();
  }, 60000);
}

// ---- a link to a claim opens its evidence ----
{
  const open = () => { const found = document.getElementById(location.hash.slice(1)); found?.querySelector?.("tr.evidence details")?.setAttribute("open", ""); };
  addEventListener("hashchange", open);
  open();
}

// ---- copying the main table ----
async function copy(text) {
  try { await navigator.clipboard.writeText(text); return true; } catch { /* file:// has no clipboard in some browsers */ }
  const area = document.createElement("textarea");
  area.value = text;
  area.setAttribute("readonly", "");
  document.body.append(area);
  area.select();
  const done = document.execCommand("copy");
  area.remove();
  return done;
}
if (embedded.copies) {
  show(".copies");
  for (const button of all("[data-copy]")) {
    button.addEventListener("click", async () => {
      const done = await copy(embedded.copies[button.dataset.copy]);
      document.querySelector(".copied").textContent = done ? `${button.textContent} copied` : "The browser refused; use the files.";
      button.focus();
    });
  }
}

