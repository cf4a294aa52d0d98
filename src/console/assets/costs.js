// What the pool costs: an hour of it, this month so far, and the month if nothing changes.

import { el, fill } from "./dom.js";
import { clock, count, dollars, number } from "./format.js";
import { ask, offers } from "./api.js";

/// The panel for `pool`.
export function costs(pool) {
  const body = el("div");
  const section = el("section", { id: "costs", tabindex: "-1", hidden: true, "aria-labelledby": "costs-title" },
    el("h2", { id: "costs-title" }, "Costs"), body);

  async function refresh(signal) {
    if (!(await offers("get /pools/{pool}/costs", signal))) return;
    const bill = await ask(`/pools/${pool}/costs`, { signal });
    section.hidden = false;
    const tile = (text, value) => el("div", {}, el("dt", {}, text), el("dd", {}, value));
    fill(body, el("dl", { class: "tiles" },
      tile("this month so far", dollars(bill.month_so_far)), tile("month's forecast", dollars(bill.month_projected)),
      tile("an hour now", dollars(bill.hourly)),
      tile("a node's hour", bill.node_hourly === null ? "unknown" : `$${number(bill.node_hourly)}`)),
    el("p", { class: "by" }, `${count(bill.instances, "instance")} paid for at ${clock(bill.at)}. Every started hour is paid; the forecast holds if nothing changes until the month ends (UTC).`));
  }

  return { section, refresh };
}
