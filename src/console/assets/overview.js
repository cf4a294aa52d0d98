// All pools, those first that want somebody.

import { el, fill, keyed, write } from "./dom.js";
import { count, number } from "./format.js";
import { ask, now } from "./api.js";
import { health, LEVELS, LEVEL_WORDS } from "./state.js";

const SORTS = {
  attention: (one, other) => LEVELS.indexOf(one.health.level) - LEVELS.indexOf(other.health.level),
  name: () => 0,
  nodes: (one, other) => other.pool.nodes.length - one.pool.nodes.length,
};
// What was chosen stays while other pages are looked at.
const chosen = { text: "", show: "all", sort: "attention" };

export function overview(main) {
  const summary = el("p", { class: "lead", id: "summary" }, "Loading…");
  const filter = el("input", {
    type: "search", id: "filter", placeholder: "name or reason", value: chosen.text,
    "aria-keyshortcuts": "/", autocomplete: "off",
    oninput: (event) => { chosen.text = event.target.value; draw(); },
  });
  const choose = (id, key, options) => el(
    "select", { id, onchange: (event) => { chosen[key] = event.target.value; draw(); } },
    options.map(([value, text]) => el("option", { value, selected: chosen[key] === value }, text)),
  );
  const show = choose("show", "show", [
    ["all", "all pools"], ["attention", "what wants somebody"], ["held", "held"], ["dry_run", "in a dry run"],
  ]);
  const sort = choose("sort", "sort", [["attention", "what wants somebody"], ["name", "name"], ["nodes", "most nodes"]]);
  const body = el("tbody");
  const table = el("table", { class: "pools cards" },
    el("caption", { class: "hidden-label" }, "Pools"),
    el("thead", {}, el("tr", {}, ["Pool", "State", "Serving", "On the way", "Desired", "Bounds", "Why"]
      .map((title, place) => el("th", { scope: "col", class: place > 1 && place < 6 ? "n" : null }, title)))),
    body);
  const empty = el("p", { class: "note", hidden: true });
  fill(main,
    el("h1", {}, "Pools"), summary,
    el("div", { class: "controls" },
      el("label", {}, "Filter ", filter), el("label", {}, "Show ", show), el("label", {}, "Sort by ", sort)),
    el("div", { class: "wide", tabindex: "0", role: "region", "aria-label": "Pools" }, table), empty);
  let pools = null;

  function draw() {
    if (!pools) return;
    const all = pools.map((pool) => ({ pool, health: health(pool, now()) }));
    const wanting = all.filter(({ health: { level } }) => level === "bad" || level === "watch").length;
    const nodes = pools.reduce((sum, pool) => sum + pool.nodes.length, 0);
    write(summary, `${count(pools.length, "pool")}, ${count(nodes, "node")}; ${
      wanting ? `${number(wanting)} want${wanting === 1 ? "s" : ""} somebody` : "none wants anybody"}.`);
    const text = chosen.text.trim().toLowerCase();
    const shown = all.filter(({ pool, health: { level, why } }) =>
      (chosen.show === "all" || chosen.show === pool.control.replace("hold", "held")
        || (chosen.show === "attention" && (level === "bad" || level === "watch")))
      && (!text || [pool.pool, ...pool.reasons, ...why].some((part) => part.toLowerCase().includes(text))));
    shown.sort((one, other) => SORTS[chosen.sort](one, other) || one.pool.pool.localeCompare(other.pool.pool));
    keyed(body, shown, ({ pool }) => pool.pool, row, update);
    empty.hidden = shown.length > 0;
    write(empty, pools.length
      ? "No pool is like that. Empty the filter, or show all pools."
      : "There is no pool yet. Put a policy beside the settings, and reload: windlass reload.");
    table.hidden = shown.length === 0;
  }

  return {
    title: "Pools",
    async refresh(signal) {
      pools = await ask("/pools", { signal });
      draw();
    },
    keys: { "/": ["filter the pools", () => filter.focus()] },
  };
}

function row({ pool }) {
  const cell = (name, title) => el("td", { "data-part": name, "data-title": title, class: name === "state" || name === "why" ? null : "n" });
  return el("tr", {},
    el("th", { scope: "row" }, el("a", { href: `#/pools/${encodeURIComponent(pool.pool)}` }, pool.pool)),
    cell("state", "State"), cell("serving", "Serving"), cell("on_the_way", "On the way"),
    cell("desired", "Desired"), cell("bounds", "Bounds"), cell("why", "Why"));
}

function update(line, { pool, health: { level, why } }) {
  const put = (name, text) => write(line.querySelector(`[data-part=${name}]`), text);
  line.className = level;
  const badges = [el("span", { class: ["badge", level] }, LEVEL_WORDS[level])];
  if (pool.control === "dry_run") badges.push(el("span", { class: "badge dry" }, "Dry run"));
  if (pool.control === "hold") badges.push(el("span", { class: "badge held" }, "Held"));
  const state = line.querySelector("[data-part=state]");
  const words = badges.map((badge) => badge.textContent).join(" ");
  if (state.textContent !== words) fill(state, badges.flatMap((badge) => [badge, " "]).slice(0, -1));
  put("serving", number(pool.serving));
  put("on_the_way", number(pool.on_the_way));
  put("desired", pool.desired === null ? "–" : number(pool.desired));
  put("bounds", `${number(pool.min)}–${number(pool.max)}`);
  put("why", (level === "calm" || level === "moving" ? pool.reasons[0] : why.join("; ")) ?? "");
}
