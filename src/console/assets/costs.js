// What the pool has cost this month, and what the month comes to if it goes on like this.

import { el, fill } from "./dom.js";
import { dollars, length, number } from "./format.js";
import { ask } from "./api.js";

/// The panel for `pool`; hidden where its policy has no budget, for then no price is asked for.
export function costs(pool) {
  const body = el("div");
  const section = el("section", { id: "costs", tabindex: "-1", hidden: true, "aria-labelledby": "costs-title" },
    el("h2", { id: "costs-title" }, "Costs of this month"), body);

  async function refresh(signal) {
    const { decisions: [last] } = await ask(`/pools/${pool}/decisions?limit=1`, { signal });
    const known = last?.observation.costs;
    section.hidden = !known;
    if (!known) return;
    const hours = known.month_seconds_left / 3600;
    const hourly = known.node_hourly;
    const forecast = hourly === null ? null : known.spent - known.paid_ahead + hourly * hours * last.decision.to;
    const tile = (text, value) => el("div", {}, el("dt", {}, text), el("dd", {}, value));
    fill(body, el("dl", { class: "tiles" },
      tile("spent", dollars(known.spent)), tile("of that paid ahead", dollars(known.paid_ahead)),
      tile("a node's hour", hourly === null ? "unknown" : `$${number(hourly / 1e6)}`),
      tile("month's forecast", dollars(forecast))),
    el("p", { class: "by" }, `The forecast is what ${number(last.decision.to)} nodes cost for the ${length(known.month_seconds_left)} that are left of the month (UTC).`));
  }

  return { section, refresh };
}
