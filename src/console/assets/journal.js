// The journal: what was intended, done and noticed.

import { el, fill, keyed, write } from "./dom.js";
import { when, words } from "./format.js";
import { ask } from "./api.js";

/// Groups of kinds that people look for.
const GROUPS = {
  all: null,
  decisions: ["decided"],
  nodes: ["entered", "intended", "came", "configured", "sweeps", "disowned"],
  people: ["commanded", "announced", "hint_cancelled", "policy_changed", "started"],
  notes: ["noted", "suppressed"],
};
const PAGE = 100;
/// So many pages are looked through for rows that a filter lets pass before one is asked to go on.
const PAGES = 5;

/// The panel for `pool`. `explain(moment)` is called for a decision's row.
export function journal(pool, label, explain) {
  let rows = [];
  let before = null;
  let group = "all";
  const filter = el("input", { type: "search", id: "journal-filter", placeholder: "text, node or kind", autocomplete: "off", oninput: () => draw() });
  const select = el("select", { id: "journal-kind", onchange: (event) => { group = event.target.value; draw(); } },
    [["all", "everything"], ["decisions", "decisions"], ["nodes", "steps and states of nodes"], ["people", "what people did"], ["notes", "notes and suppressed acts"]]
      .map(([value, text]) => el("option", { value }, text)));
  const body = el("tbody");
  const empty = el("p", { class: "note", hidden: true });
  const older = el("button", { type: "button", onclick: () => more().catch((error) => write(empty, error.message)) }, "Older rows");
  const wide = el("div", { class: "wide tall", tabindex: "0", role: "region", "aria-label": "Journal" },
    el("table", { class: "journal cards" }, el("caption", { class: "hidden-label" }, "Journal, newest first"),
      el("thead", {}, el("tr", {}, ["When", "Kind", "Node", "What"].map((title) => el("th", { scope: "col" }, title)))), body));
  const section = el("section", { id: "journal", tabindex: "-1", "aria-labelledby": "journal-title" },
    el("h2", { id: "journal-title" }, "Journal"),
    el("div", { class: "controls" }, el("label", {}, "Filter ", filter), el("label", {}, "Show ", select)), wide, empty, older);

  const page = (from, signal) => ask(`/pools/${pool}/journal?limit=${PAGE}${from === null ? "" : `&before=${from}`}`, { signal });

  async function refresh(signal) {
    const { entries, next_before } = await page(null, signal);
    const known = rows[0]?.sequence ?? 0;
    const fresh = entries.filter((row) => row.sequence > known);
    if (rows.length && fresh.length === entries.length && next_before !== null) {
      // So much came that the known rows no longer join on: begin anew.
      rows = [];
    }
    if (rows.length === 0) before = next_before;
    rows = rows.length ? [...fresh, ...rows] : entries;
    if (fresh.length || rows.length === 0) draw();
  }

  async function more() {
    const had = shown().length;
    for (let turn = 0; turn < PAGES && before !== null && shown().length === had; turn += 1) {
      const { entries, next_before } = await page(before);
      rows = [...rows, ...entries];
      before = next_before;
    }
    draw();
  }

  function shown() {
    const text = filter.value.trim().toLowerCase();
    const kinds = GROUPS[group];
    return rows.filter((row) => (!kinds || kinds.includes(row.entry.kind))
      && (!text || [words(row.entry.kind), row.entry.kind, said(row.entry), row.node ? label(row.node) : ""].some((part) => part.toLowerCase().includes(text))));
  }

  function draw() {
    const list = shown();
    keyed(body, list, (row) => row.sequence, (row) => el("tr", {},
      el("td", { "data-title": "When" }, when(row.at)), el("td", { "data-title": "Kind" }, words(row.entry.kind)),
      el("td", { "data-title": "Node", class: row.node ? null : "void" }, row.node ? label(row.node) : ""),
      el("td", { class: "text", "data-title": "What" }, said(row.entry), row.entry.kind === "decided"
        ? [" ", el("button", { type: "button", class: "inline", onclick: () => explain(row.at) }, "Why", el("span", { class: "hidden-label" }, ` at ${when(row.at)}`))] : null)),
    () => {});
    wide.hidden = list.length === 0;
    empty.hidden = list.length > 0;
    write(empty, rows.length ? "None of the rows that were read is like that; older ones may be." : "Nothing has happened yet.");
    older.hidden = before === null;
  }

  return { section, refresh, focus: () => filter.focus() };
}

/// A row as a sentence.
export function said(entry) {
  const state = (one) => words(one?.state ?? "nothing");
  switch (entry.kind) {
    case "started": return `version ${entry.version} began to look after the pool`;
    case "policy_changed": return `another policy is in force${entry.owner ? `, by ${entry.owner}` : ""}: ${entry.changes.map(difference).join("; ") || "only remarks or the spelling changed"}`;
    case "decided": return entry.from === entry.to ? `stays at ${entry.to}: ${reasons(entry)}` : `from ${entry.from} to ${entry.to}: ${reasons(entry)}`;
    case "entered": return `${entry.before ? `from ${state(entry.before)} ` : ""}to ${state(entry.after)}: ${entry.because}`;
    case "intended": return `${words(entry.step)}${entry.balancers.length ? ` on ${entry.balancers.join(", ")}` : ""}: ${entry.because}`;
    case "came": return `${words(entry.step)}: ${words(entry.outcome)}${entry.detail ? `, ${entry.detail}` : ""} (${entry.seconds.toFixed(1)} s)`;
    case "configured": return `the playbook ended well: ${entry.ok} tasks ran, ${entry.changed} changed something`;
    case "suppressed": return `would have done: ${entry.what}`;
    case "noted": return fields(entry.note, "note");
    case "commanded": return fields(entry.command.kind ?? entry.command, "") + (entry.command.reason ? `: ${entry.command.reason} (${entry.command.owner})` : "");
    case "announced": return `${entry.hint.kind} at ${when(entry.hint.starts_at)}: ${entry.hint.reason} (${entry.owner})`;
    case "hint_cancelled": return `a campaign was taken back by ${entry.owner}`;
    case "sweeps": case "disowned": return `${entry.label}, instance ${entry.instance}`;
    default: return fields(entry, "kind");
  }
}

function reasons(entry) {
  return entry.reasons.map((reason) => fields(reason, "reason")).slice(0, 2).join("; ");
}

function difference(change) {
  return typeof change === "string" ? change : Object.values(change).map(plain).join(" ");
}

/// A tagged value: its name, and its fields in brackets.
function fields(value, tag) {
  if (typeof value !== "object" || value === null) return words(value);
  const rest = Object.entries(value).filter(([key, one]) => key !== tag && one !== null);
  const name = tag && value[tag] ? words(value[tag]) : "";
  const told = rest.map(([key, one]) => `${words(key)} ${plain(one)}`).join(", ");
  return [name, told && (name ? `(${told})` : told)].filter(Boolean).join(" ");
}

function plain(value) {
  if (typeof value === "number") return String(Math.round(value * 1000) / 1000);
  return typeof value === "object" && value !== null ? fields(value, "") : String(value);
}
