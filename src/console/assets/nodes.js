// The nodes of a pool as they move through their states, and what each waits for.

import { el, keyed, write } from "./dom.js";
import { away, count, length, number, when, words } from "./format.js";
import { now } from "./api.js";
import { LIFE } from "./state.js";

/// Those that move or ail come first, then those that rest.
const ORDER = ["unhealthy", "planned", "provisioning", "configuring", "joining", "draining", "deleting", "standby", "in_service"];

/// What can be ordered of a node: that it goes, or that it stays; and that such an order ends.
const ACTS = [["drain", "Drain"], ["replace", "Replace"], ["protect", "Protect"], ["release", "Release"]];

/// The panel; `order({ kind, node })` asks for an order about one node.
export function nodes(order) {
  let all = [];
  let state = null;
  const summary = el("p", { class: "by" });
  const strip = el("div", { class: "strip", role: "group", "aria-label": "Show the nodes of one state" });
  const filter = el("input", { type: "search", id: "node-filter", placeholder: "label, address or trouble", autocomplete: "off", oninput: () => draw() });
  const body = el("tbody");
  const empty = el("p", { class: "note", hidden: true });
  const wide = el("div", { class: "wide tall", tabindex: "0", role: "region", "aria-label": "Nodes" },
    el("table", { class: "nodes cards" }, el("caption", { class: "hidden-label" }, "Nodes"),
      el("thead", {}, el("tr", {}, ["Node", "State", "For", "Waits for", "Until", "Ordered", "Address", "Trouble", "Acts"].map((title) => el("th", { scope: "col" }, title)))),
      body));
  const section = el("section", { id: "nodes", tabindex: "-1", "aria-labelledby": "nodes-title" },
    el("h2", { id: "nodes-title" }, "Nodes"), summary, strip,
    el("div", { class: "controls" }, el("label", {}, "Filter ", filter)), wide, empty);

  function draw() {
    const many = new Map(LIFE.map((name) => [name, 0]));
    for (const node of all) many.set(node.state, (many.get(node.state) ?? 0) + 1);
    keyed(strip, [...many], ([name]) => name,
      ([name]) => el("button", { type: "button", class: `life ${name}`, onclick: () => { state = state === name ? null : name; draw(); } },
        el("b", {}), " ", words(name)),
      (button, [name, amount]) => {
        write(button.firstElementChild, number(amount));
        button.setAttribute("aria-pressed", String(state === name));
        button.classList.toggle("none", amount === 0);
      });
    const text = filter.value.trim().toLowerCase();
    const shown = all.filter((node) => (!state || node.state === state)
      && (!text || [node.label, node.address, trouble(node), ordered(node), node.waits_for ?? "", node.id].some((part) => part.toLowerCase().includes(text))));
    shown.sort((one, other) => ORDER.indexOf(one.state) - ORDER.indexOf(other.state)
      || Date.parse(one.since) - Date.parse(other.since) || one.label.localeCompare(other.label));
    const moving = all.filter((node) => !["in_service", "standby"].includes(node.state)).length;
    write(summary, `${count(all.length, "node")}, ${moving ? `${number(moving)} of them moving or ailing` : "all at rest"}${
      shown.length < all.length ? `; ${number(shown.length)} shown` : ""}.`);
    keyed(body, shown, (node) => node.id, row, update);
    wide.hidden = shown.length === 0;
    empty.hidden = shown.length > 0;
    write(empty, all.length ? "No node is like that. Empty the filter." : "The pool has no node.");
  }

  function row(node) {
    const cell = (part, title, kind) => el("td", { "data-part": part, "data-title": title, class: kind });
    return el("tr", {}, el("th", { scope: "row" }, node.label), cell("state", "State"), cell("since", "For"),
      cell("waits", "Waits for", "text"), cell("until", "Until"), cell("ordered", "Ordered", "text"), cell("address", "Address"), cell("trouble", "Trouble", "text"),
      el("td", { "data-title": "Acts", class: "acts" }, ACTS.map(([kind, text]) => [
        el("button", { type: "button", class: "inline", "data-act": kind, onclick: () => order({ kind, node: node.label }) },
          text, el("span", { class: "hidden-label" }, ` ${node.label}`)), " "])));
  }

  return {
    section,
    update(pool) {
      all = pool.nodes;
      draw();
    },
    focus: () => filter.focus(),
  };
}

function trouble(node) {
  const failure = node.failure ? words(node.failure.failure ?? "failed") : null;
  return [node.error, failure].filter(Boolean).join("; ");
}

/// What somebody has ordered of it.
function ordered(node) {
  const stays = node.protected && `stays: ${node.protected}`;
  const goes = node.sent_away && `goes: ${node.sent_away}`;
  return [stays, goes].filter(Boolean).join("; ");
}

function update(line, node) {
  const at = now();
  const put = (part, text) => {
    const cell = line.querySelector(`[data-part=${part}]`);
    write(cell, text);
    cell.classList.toggle("void", text === "");
  };
  put("state", words(node.state));
  line.className = node.state;
  put("since", length((at - Date.parse(node.since)) / 1000));
  put("waits", node.waits_for ?? "");
  put("until", node.deadline ? `${when(node.deadline, at)}, ${away(node.deadline, at)}` : "");
  put("ordered", ordered(node));
  line.querySelector("[data-act=release]").hidden = !node.protected && !node.sent_away;
  line.querySelector("[data-act=protect]").hidden = Boolean(node.protected);
  put("address", node.address);
  put("trouble", trouble(node));
  line.classList.toggle("overdue", Boolean(node.deadline) && Date.parse(node.deadline) < at);
}
