// What operators order and announce: the effect is shown first, then it is given.

import { announce, dialog, el, fill, keyed, write } from "./dom.js";
import { away, number, when, words } from "./format.js";
import { ask, now, offers } from "./api.js";

/// Each order: what it does, and which fields it has.
const KINDS = {
  hold: ["Hold: no change", ["change", "for"]],
  resume: ["Resume: every hold ends", []],
  set: ["Set: this very count", ["count", "for"]],
  floor: ["Floor: no fewer nodes", ["count", "for"]],
  ceiling: ["Ceiling: no more nodes", ["count", "for"]],
  clear_cooldown: ["Clear the cooldown", []],
  drain: ["Drain a node", ["node", "for"]],
  replace: ["Replace a node", ["node", "for"]],
  protect: ["Protect a node from removal", ["node", "for"]],
  release: ["Release a node", ["node"]],
};
const CHANGES = [["", "every change"], ["scale_in", "scale-in"], ["scale_out", "scale-out"], ["create", "creating"], ["delete", "removing"]];
const LENGTHS = ["15m", "30m", "1h", "2h", "4h", "8h", "1d", "7d"];

/// The panel of orders and campaigns for `pool`; `label(id)` names a node, and `changed()` is
/// called after something was given.
export function orders(pool, label, changed) {
  const inForce = el("tbody");
  const none = el("p", { class: "note" }, "Nothing is ordered.");
  const table = el("div", { class: "wide", tabindex: "0", role: "region", "aria-label": "Orders in force" },
    el("table", { class: "orders cards" }, el("caption", { class: "hidden-label" }, "Orders in force"),
      heads("Order", "Why", "By", "Until", "Acts"), inForce));
  const ahead = el("tbody");
  const noHints = el("p", { class: "note" }, "No campaign is announced.");
  const hints = el("div", { class: "wide", tabindex: "0", role: "region", "aria-label": "Campaigns" },
    el("table", { class: "hints cards" }, el("caption", { class: "hidden-label" }, "Campaigns ahead"),
      heads("Campaign", "Begins", "Size", "Why", "By", "Acts"), ahead));
  const section = el("section", { id: "orders", tabindex: "-1", hidden: true, "aria-labelledby": "orders-title" },
    el("div", { class: "headed" }, el("h2", { id: "orders-title" }, "Orders and campaigns"),
      el("button", { type: "button", class: "main", id: "new-order", onclick: () => give({}) }, "Give an order"),
      el("button", { type: "button", id: "new-hint", onclick: announceCampaign }, "Announce a campaign")),
    none, table, noHints, hints);

  async function refresh(signal) {
    if (!(await offers("post /pools/{pool}/commands", signal)) || !(await offers("post /pools/{pool}/hints", signal))) return;
    const [given, told] = await Promise.all([
      ask(`/pools/${pool}/commands?limit=100`, { signal }), ask(`/pools/${pool}/hints`, { signal })]);
    section.hidden = false;
    const at = now();
    const open = newest(given.commands.filter((one) => !one.ended_at && Date.parse(one.expires_at) > at));
    keyed(inForce, open, (one) => one.id, (one) => el("tr", {},
      el("th", { scope: "row" }, `${words(one.kind)}${one.count === null ? "" : ` ${number(one.count)}`}${one.change ? `: no ${words(one.change)}` : ""}${one.node ? ` ${label(one.node)}` : ""}`),
      el("td", { class: "text", "data-title": "Why" }, one.reason), el("td", { "data-title": "By" }, one.owner),
      el("td", { "data-title": "Until" }), el("td", { "data-title": "Acts" },
        el("button", { type: "button", onclick: () => end("End this order", `${words(one.kind)}: ${one.reason}`, `/pools/${pool}/commands/${one.id}`) }, "End"))),
    (line, one) => write(line.children[3], `${when(one.expires_at, at)}, ${away(one.expires_at, at)}`));
    table.hidden = open.length === 0;
    none.hidden = open.length > 0;
    const coming = told.hints.filter((one) => !one.cancelled_at);
    keyed(ahead, coming, ({ hint }) => hint.id, ({ hint, owner }) => el("tr", {},
      el("th", { scope: "row" }, hint.kind), el("td", { "data-title": "Begins" }), el("td", { "data-title": "Size" }, size(hint)),
      el("td", { class: "text", "data-title": "Why" }, hint.reason), el("td", { "data-title": "By" }, owner),
      el("td", { class: hint.source === "calendar" ? "void" : null, "data-title": "Acts" }, hint.source === "calendar" ? "" : el("button", { type: "button", onclick: () =>
        end("Take this campaign back", `${hint.kind} at ${when(hint.starts_at)}: ${hint.reason}`, `/pools/${pool}/hints/${hint.id}`) }, "Take back"))),
    (line, { hint }) => write(line.children[1], `${when(hint.starts_at, at)}, ${away(hint.starts_at, at)}`));
    hints.hidden = coming.length === 0;
    noHints.hidden = coming.length > 0;
  }

  /// Asks for an order; `preset` fills in its kind and node.
  function give(preset) {
    const kind = select("order-kind", Object.entries(KINDS).map(([value, [text]]) => [value, text]), preset.kind ?? "hold");
    const count = el("input", { id: "order-count", type: "number", min: "0", step: "1", inputmode: "numeric", required: true });
    const change = select("order-change", CHANGES, "");
    const node = el("input", { id: "order-node", value: preset.node ?? "", autocomplete: "off", spellcheck: "false", required: true });
    const lasts = select("order-for", LENGTHS.map((text) => [text, text]), "1h");
    const reason = el("input", { id: "order-reason", maxlength: "500", autocomplete: "off", required: true });
    const fields = { count: field("Nodes", count), change: field("What is held", change), node: field("Node: label or id", node), for: field("For", lasts) };
    const shape = () => {
      for (const [name, part] of Object.entries(fields)) {
        part.hidden = !KINDS[kind.value][1].includes(name);
        part.querySelector("input, select").disabled = part.hidden;
      }
    };
    kind.addEventListener("change", shape);
    shape();
    confirmed("Give an order", [field("Order", kind), el("div", { class: "fields" }, Object.values(fields)), field("Why, for everybody who reads an explanation", reason)], () => {
      const wanted = { kind: kind.value, reason: reason.value };
      const has = (name) => KINDS[kind.value][1].includes(name);
      if (has("count")) wanted.count = Number(count.value);
      if (has("change") && change.value) wanted.change = change.value;
      if (has("node")) wanted.node = node.value.trim();
      if (has("for")) wanted.for = lasts.value;
      return wanted;
    }, "/commands", effect);
  }

  function announceCampaign() {
    const kind = el("input", { id: "hint-kind", value: "campaign", autocomplete: "off", required: true });
    const at = el("input", { id: "hint-at", type: "datetime-local", step: "60", required: true, value: local(now() + 3600_000) });
    const unit = select("hint-unit", [["devices", "devices"], ["requests_per_second", "requests per second on top"]], "devices");
    const many = el("input", { id: "hint-size", type: "number", min: "1", step: "any", inputmode: "decimal", required: true });
    const spread = el("input", { id: "hint-spread", value: "2m", autocomplete: "off", required: true });
    const reason = el("input", { id: "hint-reason", maxlength: "500", autocomplete: "off", required: true });
    confirmed("Announce a campaign", [el("div", { class: "fields" }, field("Kind", kind), field("First message, by your clock", at),
      field("Size", many), field("Counted in", unit), field("Sent over", spread)), field("Why", reason)], () => ({
      hints: [{ kind: kind.value, starts_at: new Date(at.value).toISOString(), [unit.value]: Number(many.value), spread: spread.value, reason: reason.value }],
    }), "/hints", campaignEffect);
  }

  /// A form whose effect is shown before it is sent for good. The key makes a second click the same act.
  function confirmed(title, parts, read, path, show) {
    const problem = el("p", { class: "problem", role: "alert" });
    const shown = el("div", { class: "effect", "aria-live": "polite" });
    const try_ = el("button", { type: "submit", class: "main" }, "Show what it would do");
    const sure = el("button", { type: "button", class: "loud", hidden: true }, "Do it");
    let tried = null;
    const forget = () => { tried = null; sure.hidden = true; fill(shown); };
    const send = async (query, body, key) => {
      write(problem, "");
      try_.disabled = sure.disabled = true;
      try {
        const headers = key ? { "idempotency-key": key } : {};
        return await ask(`/pools/${pool}${path}${query}`, { method: "POST", body, headers });
      } catch (error) {
        write(problem, error.message);
        return null;
      } finally {
        try_.disabled = sure.disabled = false;
      }
    };
    sure.addEventListener("click", async () => {
      if (!tried || !(await send("", tried.body, tried.key))) return;
      box.close();
      announce("It is given.");
      changed();
    });
    const form = el("form", { oninput: forget, onsubmit: async (event) => {
      event.preventDefault();
      const body = read();
      const told = await send("?dry_run=true", body, null);
      if (!told) return;
      tried = { body, key: crypto.randomUUID?.() ?? [...crypto.getRandomValues(new Uint8Array(16))].join("-") };
      fill(shown, show(told));
      sure.hidden = false;
      sure.focus();
    } }, parts, problem, shown, el("div", { class: "buttons" }, try_, sure, el("button", { type: "button", onclick: () => box.close() }, "Cancel")));
    const box = dialog(title, form);
  }

  function end(title, what, path) {
    const problem = el("p", { class: "problem", role: "alert" });
    const box = dialog(title, el("p", {}, what), problem, el("div", { class: "buttons" },
      el("button", { type: "button", class: "loud", onclick: async () => {
        try {
          await ask(path, { method: "DELETE" });
          box.close();
          changed();
        } catch (error) {
          write(problem, error.message);
        }
      } }, title), el("button", { type: "button", onclick: () => box.close() }, "Cancel")));
  }

  return { section, refresh, give };
}

/// Of orders, newest first, those in force: the newest of those that speak of the same thing, and
/// none that a later one ended.
function newest(orders) {
  const inForce = new Map();
  for (const one of [...orders].reverse()) {
    const about = one.node ?? (one.kind === "hold" ? `hold ${one.change ?? ""}` : one.kind);
    if (one.kind === "resume") {
      for (const key of inForce.keys()) if (key.startsWith("hold ")) inForce.delete(key);
    } else if (one.kind === "release") inForce.delete(about);
    else if (one.kind !== "clear_cooldown") {
      inForce.delete(about);
      inForce.set(about, one);
    }
  }
  return [...inForce.values()].reverse();
}

/// What an order would lead to.
function effect({ explanation, acts, notes }) {
  const { from, to, because } = explanation;
  const list = (title, lines) => lines.length > 0 && [el("h3", {}, title), el("ul", {}, lines.slice(0, 12).map((text) => el("li", {}, text)),
    lines.length > 12 && el("li", {}, `and ${number(lines.length - 12)} more`))];
  return [el("p", { class: "headline" }, from === to ? `The count stays at ${number(to)}.` : `The count goes from ${number(from)} to ${number(to)}.`),
    list("Why", because), acts.length ? list("What follows at once", acts) : el("p", {}, "Nothing is done at once."), list("What is left undone", notes)];
}

function campaignEffect({ hints, is_listened_to }) {
  return [...hints.map((hint) => el("p", { class: "headline" }, `${hint.kind}: ${size(hint)} at ${when(hint.starts_at)}, ${away(hint.starts_at, now())}.`)),
    el("p", { class: is_listened_to ? null : "problem" }, is_listened_to
      ? "The pool has the nodes ready before the first message."
      : "No rule of this pool's policy listens to campaigns: it would only be written down.")];
}

function size({ size: told }) {
  const [[unit, many]] = Object.entries(told);
  return unit === "devices" ? `${number(many)} devices` : `${number(many)} req/s on top`;
}

function heads(...titles) {
  return el("thead", {}, el("tr", {}, titles.map((title) => el("th", { scope: "col" }, title))));
}

function select(id, options, chosen) {
  return el("select", { id }, options.map(([value, text]) => el("option", { value, selected: value === chosen }, text)));
}

function field(title, input) {
  return el("div", { class: "field" }, el("label", { for: input.id }, title), input);
}

/// A moment as a `datetime-local` field has it, in whole minutes.
function local(moment) {
  const date = new Date(moment - new Date(moment).getTimezoneOffset() * 60000);
  return date.toISOString().slice(0, 16);
}
