// Why, why not more, why not fewer: now, or at a chosen moment.

import { el, fill, write } from "./dom.js";
import { number, when, words } from "./format.js";
import { ask } from "./api.js";

/// The panel for `pool`; `back()` is asked for when somebody wants to see now again.
export function why(pool, back) {
  const heading = el("h2", { id: "why-title" }, "Why");
  const at = el("p", { class: "by" }, "Loading…");
  const now = el("button", { type: "button", hidden: true, onclick: back }, "Back to now");
  const body = el("div");
  const section = el("section", { id: "why", tabindex: "-1", "aria-labelledby": "why-title" },
    el("div", { class: "headed" }, heading, now), at, body);
  let moment = null;
  let shown = null;

  async function refresh(signal) {
    const asked = moment;
    const query = asked ? `?at=${encodeURIComponent(asked)}` : "";
    let explanation;
    let not;
    try {
      [explanation, not] = await Promise.all([
        ask(`/pools/${pool}/explanation${query}`, { signal }),
        ask(`/pools/${pool}/why-not${query}`, { signal }),
      ]);
    } catch (error) {
      if (error.status !== 404 || asked !== moment) throw error;
      shown = null;
      write(heading, "Why");
      write(at, asked ? `At ${when(asked)}` : "Now");
      fill(body, el("p", { class: "note" }, error.message));
      return;
    }
    if (asked !== moment) return;
    now.hidden = !asked;
    const key = `${asked} ${explanation.at} ${explanation.text}`;
    if (key === shown) return;
    shown = key;
    write(heading, explanation.from === explanation.to
      ? `Why ${asked ? "it stayed" : "it stays"} at ${number(explanation.to)}`
      : `Why ${asked ? "it went" : "it goes"} from ${number(explanation.from)} to ${number(explanation.to)}`);
    write(at, `Decided at ${when(explanation.at)}${asked ? ", the last one up to the chosen moment" : ""}`);
    draw(explanation, not);
  }

  function draw(explanation, not) {
    const opened = new Set([...body.querySelectorAll("details[open]")].map((one) => one.dataset.key));
    const details = (key, title, ...children) =>
      el("details", { "data-key": key, open: opened.has(key) }, el("summary", {}, title), ...children);
    fill(body,
      el("ol", { class: "because" }, explanation.because.map((text) => el("li", {}, text))),
      ordered(explanation.orders ?? []),
      el("div", { class: "pair" },
        answer("Why not more?", not.more), answer("Why not fewer?", not.fewer)),
      details("inputs", "What it saw", inputs(explanation.inputs)),
      details("stages", "What each guard did", stages(explanation.stages)),
      details("whole", "The whole, as windlass explain prints it", el("pre", { tabindex: "0", "aria-label": "The whole explanation" }, explanation.text)));
  }

  return {
    section, refresh,
    /// Explains `at` from now on, an ISO time; null: now.
    async at(wanted) {
      moment = wanted;
      now.hidden = !wanted;
      await refresh();
    },
    isNow: () => moment === null,
  };
}

/// The orders that were in force, in words.
function ordered(orders) {
  return el("ul", { class: "in-force", hidden: orders.length === 0, "aria-label": "Orders in force" },
    orders.map(({ what, until, owner, reason }) =>
      el("li", {}, `Ordered: ${what} until ${when(until)}, by ${owner}: ${reason}`)));
}

/// One way's answer: its lines are `  kind   sentence`.
function answer(title, { text }) {
  const lines = text.split("\n").slice(1).map((line) => /^\s+(\S+)\s+(.*)$/.exec(line)).filter(Boolean);
  const kinds = { next: "What would", rule: "Rule", guard: "Guard" };
  // What would change it is what one came for.
  lines.sort((one, other) => Number(other[1] === "next") - Number(one[1] === "next"));
  return el("div", { class: "answer" }, el("h3", {}, title),
    lines.length
      ? el("dl", {}, lines.map(([, kind, sentence]) => el("div", { class: kind }, el("dt", {}, kinds[kind] ?? kind), el("dd", {}, sentence))))
      : el("p", { class: "note" }, "Nothing stands in the way."));
}

function inputs(list) {
  const value = ({ reading, unit }) => {
    const sample = reading.sample;
    const units = { requests_per_second: " req/s", seconds: " s", percentage_points: " %" };
    if (sample) return `${number(sample.value)}${units[unit] ?? ""}`;
    if (reading.samples) return `${reading.samples.length} nodes, ${number(reading.samples.reduce((sum, one) => sum + (one.value ?? one.sample?.value ?? 0), 0) / reading.samples.length)} on average`;
    return "missing";
  };
  return table(["Signal", "Value", "Quality", "Age"], list.map((input) => [
    input.signal, value(input), words(input.reading.quality), input.age_seconds === null ? "–" : `${input.age_seconds} s`,
  ]));
}

function stages(list) {
  return table(["Guard", "Before", "After"], list.map((stage) => [words(stage.guard), number(stage.before), number(stage.after)]));
}

function table(titles, rows) {
  return el("div", { class: "wide" }, el("table", { class: "small" },
    el("thead", {}, el("tr", {}, titles.map((title) => el("th", { scope: "col" }, title)))),
    el("tbody", {}, rows.map((row) => el("tr", {}, row.map((text, place) => el(place ? "td" : "th", place ? {} : { scope: "row" }, text)))))));
}
