// The switch between light and dark, the language of all examples, copying, and the search. The pages are whole
// without it.
"use strict";

const root = document.documentElement;
const kept = {
  get(name) { try { return localStorage.getItem(name); } catch { return null; } },
  set(name, value) { try { localStorage.setItem(name, value); } catch { /* It is for this page alone then. */ } },
};

// At once, before anything is painted.
const theme = kept.get("theme");
if (theme === "light" || theme === "dark") root.dataset.theme = theme;

document.addEventListener("DOMContentLoaded", () => {
  switchTheme();
  chooseLanguage();
  offerCopies();
  closeMenu();
  offerSearch();
  addEventListener("beforeprint", () => document.querySelectorAll("details").forEach((each) => { each.open = true; }));
  addEventListener("hashchange", openTarget);
  openTarget();
});

function switchTheme() {
  const button = document.getElementById("theme");
  const system = matchMedia("(prefers-color-scheme: dark)");
  const isDark = () => (root.dataset.theme ? root.dataset.theme === "dark" : system.matches);
  const name = () => {
    button.textContent = isDark() ? "Light" : "Dark";
    button.setAttribute("aria-label", `Show the pages ${isDark() ? "light" : "dark"}`);
  };
  button.hidden = false;
  name();
  system.addEventListener("change", name);
  button.addEventListener("click", () => {
    root.dataset.theme = isDark() ? "light" : "dark";
    kept.set("theme", root.dataset.theme);
    name();
  });
}

function chooseLanguage() {
  const choose = (language) => {
    for (const each of document.querySelectorAll(".example input")) each.checked = each.value === language;
  };
  const before = kept.get("language");
  if (before && document.querySelector(`.example input[value="${CSS.escape(before)}"]`)) choose(before);
  document.addEventListener("change", (event) => {
    if (!event.target.matches(".example input")) return;
    // What stands above changes its height too: what was chosen stays where it is.
    const at = event.target.getBoundingClientRect().top;
    choose(event.target.value);
    scrollBy({ top: event.target.getBoundingClientRect().top - at, behavior: "instant" });
    kept.set("language", event.target.value);
  });
}

function offerCopies() {
  if (!navigator.clipboard) return;
  for (const figure of document.querySelectorAll(".example")) {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "copy";
    button.textContent = "Copy";
    button.setAttribute("aria-label", `Copy: ${figure.querySelector("figcaption").textContent}`);
    button.addEventListener("click", async () => {
      const shown = [...figure.querySelectorAll("pre")].find((each) => each.offsetParent !== null);
      await navigator.clipboard.writeText(shown.textContent);
      button.textContent = "Copied";
      setTimeout(() => { button.textContent = "Copy"; }, 1500);
    });
    figure.append(button);
  }
}

function closeMenu() {
  const contents = document.getElementById("contents");
  contents?.addEventListener("click", (event) => {
    if (event.target.closest("a") && contents.matches(":popover-open")) contents.hidePopover();
  });
}

// What a link leads to may be inside something that is closed.
function openTarget() {
  const target = location.hash && document.getElementById(decodeURIComponent(location.hash.slice(1)));
  if (!target) return;
  let closed = false;
  for (let each = target.parentElement; each; each = each.parentElement) {
    if (each.tagName === "DETAILS" && !each.open) closed = each.open = true;
  }
  if (closed) target.scrollIntoView();
}

function offerSearch() {
  const input = document.getElementById("search");
  const list = document.getElementById("found");
  const count = document.getElementById("count");
  let entries = null;
  let chosen = -1;

  input.closest("search").hidden = false;

  const load = () => {
    entries ??= fetch(document.body.dataset.search).then((answer) => answer.json()).then((rows) =>
      rows.map(([title, kind, url, text]) => ({ title, kind, url, text, low: title.toLowerCase(), all: `${title} ${text} ${kind}`.toLowerCase() })));
    return entries;
  };
  const close = () => {
    list.hidden = true;
    chosen = -1;
    input.setAttribute("aria-expanded", "false");
    input.removeAttribute("aria-activedescendant");
  };
  const choose = (index) => {
    const options = list.querySelectorAll("a");
    if (!options.length) return;
    chosen = (index + options.length) % options.length;
    options.forEach((each, at) => each.setAttribute("aria-selected", String(at === chosen)));
    options[chosen].scrollIntoView({ block: "nearest" });
    input.setAttribute("aria-activedescendant", options[chosen].id);
  };
  const show = async () => {
    const words = input.value.toLowerCase().split(/\s+/).filter(Boolean);
    const all = await load();
    if (!words.length) return close();
    const found = all
      .filter((each) => words.every((word) => each.all.includes(word)))
      .map((each, at) => ({ each, at, rank: rank(each, words) }))
      .sort((a, b) => a.rank - b.rank || a.at - b.at)
      .slice(0, 40);
    list.replaceChildren(...(found.length ? found.map(({ each }, at) => option(each, at)) : [nothing()]));
    list.hidden = false;
    list.scrollTop = 0;
    input.setAttribute("aria-expanded", "true");
    count.textContent = found.length === 1 ? "1 result" : `${found.length} results`;
    chosen = -1;
    choose(0);
  };

  input.addEventListener("focus", load, { once: true });
  input.addEventListener("input", show);
  input.addEventListener("keydown", (event) => {
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      if (list.hidden) show();
      else choose(chosen + (event.key === "ArrowDown" ? 1 : -1));
    } else if (event.key === "Enter") {
      const option = list.querySelectorAll("a")[chosen];
      if (option) { close(); input.blur(); location.assign(option.href); }
    } else if (event.key === "Escape") {
      if (list.hidden) input.blur();
      close();
    }
  });
  list.addEventListener("click", close);
  document.addEventListener("click", (event) => { if (!event.target.closest(".search")) close(); });
  input.addEventListener("blur", (event) => { if (!list.contains(event.relatedTarget)) close(); });
  document.addEventListener("keydown", (event) => {
    const writes = event.target.closest("input:not([type=radio]), textarea, select, [contenteditable]");
    if (event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey || writes) return;
    event.preventDefault();
    document.querySelector(":popover-open")?.hidePopover();
    input.focus();
    input.select();
  });
}

function rank(entry, words) {
  const whole = words.join(" ");
  if (entry.low === whole) return 0;
  if (entry.low.startsWith(whole)) return 1;
  return words.every((word) => entry.low.includes(word)) ? 2 : 3;
}

function option(entry, at) {
  const link = document.createElement("a");
  link.id = `found-${at}`;
  link.href = entry.url;
  link.tabIndex = -1;
  link.setAttribute("role", "option");
  link.setAttribute("aria-selected", "false");
  const kind = document.createElement("span");
  kind.className = "kind";
  kind.textContent = entry.kind;
  const title = document.createElement("b");
  title.textContent = entry.title;
  const text = document.createElement("small");
  text.textContent = entry.text;
  link.append(kind, title, text);
  return link;
}

function nothing() {
  const told = document.createElement("div");
  told.setAttribute("role", "option");
  told.setAttribute("aria-disabled", "true");
  told.setAttribute("aria-selected", "false");
  told.textContent = "Nothing was found.";
  return told;
}
