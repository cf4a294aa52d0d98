// One pool: what it does, why, and what an operator can do about it.

import { el, fill, write } from "./dom.js";
import { away, count, number, words } from "./format.js";
import { ask, now, offers } from "./api.js";
import { chart } from "./chart.js";
import { why } from "./why.js";
import { nodes } from "./nodes.js";
import { journal } from "./journal.js";
import { costs } from "./costs.js";
import { orders } from "./orders.js";
import { health, LEVEL_WORDS } from "./state.js";

/// What the chart, the journal and the costs show changes no faster than this.
const SLOWLY = 5000;

/// The page of the pool `name`, at `moment` (milliseconds) where one is given.
export function poolPage(main, name, moment = null) {
  const pool = encodeURIComponent(name);
  let status = null;
  let decision = null;
  const badges = el("span", { class: "badges" });
  const banner = el("p", { class: "banner", hidden: true });
  const sentence = el("p", { class: "headline" }, "Loading…");
  const tiles = el("dl", { class: "tiles" });
  const notes = el("ul", { class: "notes", hidden: true });
  const graph = chart(pool, (chosen) => {
    // Whoever gets the address sees the same moment.
    history.replaceState(null, "", `#/pools/${pool}${chosen ? `?at=${chosen}` : ""}`);
    reasons.at(chosen).catch(report);
    if (chosen) reasons.section.scrollIntoView({ block: "nearest" });
  });
  const reasons = why(pool, () => graph.pick(null));
  const label = (id) => status?.nodes.find((node) => node.id === id)?.label ?? id.slice(0, 13);
  const office = orders(pool, label, () => { slowly = 0; mine.wake?.(); });
  const fleet = nodes((wanted) => office.give(wanted));
  const book = journal(pool, label, (moment) => {
    graph.pick(moment);
    reasons.section.focus();
  });
  const money = costs(pool);
  const parts = [["chart", "Chart"], ["why", "Why"], ["nodes", "Nodes"], ["orders", "Orders"], ["costs", "Costs"], ["journal", "Journal"]];
  const places = el("nav", { class: "parts", "aria-label": "Parts of this page" }, parts.map(([id, text], place) =>
    el("a", { href: `#${id}`, "data-part": id, "aria-keyshortcuts": String(place + 1), onclick: (event) => { event.preventDefault(); show(id); } }, text)));
  fill(main,
    el("nav", { class: "by", "aria-label": "Where this is" }, el("a", { href: "#/" }, "All pools")),
    el("div", { class: "headed" }, el("h1", {}, name), badges),
    banner, sentence, tiles, notes, places,
    graph.section, reasons.section, fleet.section, office.section, money.section, book.section);

  function show(id) {
    const section = document.getElementById(id);
    if (!section || section.hidden) return;
    section.scrollIntoView();
    if (id === "chart") graph.focus();
    else section.focus({ preventScroll: true });
  }

  function report(error) {
    if (error.name !== "AbortError") console.debug("a part could not be brought up to date", error);
  }

  function draw() {
    const { level, why: told } = health(status, now());
    fill(badges, [el("span", { class: ["badge", level] }, LEVEL_WORDS[level]),
      status.control === "dry_run" && el("span", { class: "badge dry" }, "Dry run"),
      status.control === "hold" && el("span", { class: "badge held" }, "Held")]);
    banner.hidden = status.control === "automatic";
    banner.className = `banner ${status.control}`;
    write(banner, status.control === "dry_run"
      ? "Dry run: decisions are made and written down, and nothing is carried out."
      : "Held: the count stays as it is; nodes already on their way go on.");
    write(sentence, status.reasons[0] ?? (status.is_loaded ? "Nothing was decided yet." : "The daemon has not looked at this pool yet."));
    const tile = (text, value, kind) => el("div", { class: kind }, el("dt", {}, text), el("dd", {}, value));
    fill(tiles,
      tile("serving", number(status.serving), "ours"), tile("on the way", number(status.on_the_way), "paid"),
      tile("desired", status.desired === null ? "–" : number(status.desired)),
      tile("bounds", `${number(status.min)}–${number(status.max)}`),
      tile("standby", number(status.standby)), tile("leaving", number(status.leaving)),
      tile("looked at", away(Math.min(Date.parse(status.at), now()), now())));
    const list = told.filter((text) => text !== words(status.control));
    notes.hidden = list.length === 0;
    if (notes.dataset.told !== list.join("\n")) {
      notes.dataset.told = list.join("\n");
      fill(notes, list.map((text) => el("li", {}, text)));
    }
    fleet.update(status);
    document.title = `${name}: ${count(status.serving, "node")} · Windlass`;
  }

  /// What this daemon has no operation for is not shown.
  async function acts(signal) {
    fleet.section.classList.toggle("no-acts", !(await offers("post /pools/{pool}/commands", signal)));
  }

  let slowly = 0;
  if (moment !== null) graph.show(moment);
  let heard = false;
  const mine = {
    title: name,
    async refresh(signal) {
      status = await ask(`/pools/${pool}`, { signal });
      draw();
      const due = Date.now() - slowly;
      const fresh = status.decision !== decision;
      const later = [];
      if (slowly === 0 || (reasons.isNow() && fresh)) later.push(reasons.refresh(signal));
      if (slowly === 0 || due > SLOWLY) {
        slowly = Date.now();
        later.push(book.refresh(signal), money.refresh(signal), office.refresh(signal), acts(signal));
        heard = false;
        if (graph.isLive() && (fresh || due > graph.bucketSeconds() * 1000)) later.push(graph.refresh(signal));
      }
      if (heard) {
        heard = false;
        later.push(book.refresh(signal));
      }
      decision = status.decision;
      const failed = (await Promise.allSettled(later)).filter((one) => one.status === "rejected");
      for (const link of places.children) link.hidden = document.getElementById(link.dataset.part)?.hidden ?? true;
      if (failed.length) throw failed[0].reason;
    },
    /// Something happened; where it is about this pool, the page asks what.
    hears(event) {
      if (JSON.parse(event.data).pool !== name) return;
      heard = true;
      mine.wake?.();
    },
    end: () => graph.end(),
    keys: {
      ...Object.fromEntries(parts.map(([id, text], place) => [String(place + 1), [`go to ${text.toLowerCase()}`, () => show(id)]])),
      "/": ["filter the nodes", () => { show("nodes"); fleet.focus(); }],
      n: ["see now again", () => graph.pick(null)],
      o: ["give an order", () => !office.section.hidden && office.give({})],
    },
  };
  return mine;
}
