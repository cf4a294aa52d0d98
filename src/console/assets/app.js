// Which page is shown, how it is kept up to date, and how one gets about by keyboard.

import { dialog, el, fill, write } from "./dom.js";
import { length } from "./format.js";
import { contact, listen, offers } from "./api.js";
import { overview } from "./overview.js";
import { poolPage } from "./pool.js";
import { askToken } from "./token.js";

/// How often a page asks for what is new.
const EVERY = 2000;
/// After so long without an answer, what is shown may be wrong.
const STALE_AFTER = 8000;

const main = document.getElementById("main");
const live = document.getElementById("live");
const stale = document.getElementById("stale");
let page = null;
let leave = null;
let shown = null;

function open() {
  const [path, asked] = sent(location.hash.replace(/^#/, "")).split("?");
  if (path === shown && !asked) return;
  leave?.abort();
  page?.end?.();
  leave = new AbortController();
  shown = path;
  delete main.dataset.state;
  fill(main, el("p", { class: "note" }, "Loading…"));
  const [, pools, pool] = path.split("/");
  const at = Date.parse(new URLSearchParams(asked).get("at") ?? "");
  if (pools === "pools" && pool) page = poolPage(main, decodeURIComponent(pool), Number.isFinite(at) ? at : null);
  else if (path === "/") page = overview(main);
  else {
    page = { title: "No such page", refresh: async () => {} };
    fill(main, el("h1", {}, "There is no such page"), el("p", {}, el("a", { href: "#/" }, "All pools")));
  }
  document.title = `${page.title} · Windlass`;
  scrollTo(0, 0);
  keep(page, leave.signal);
  hear(page, leave.signal);
}

/// The console's own place for where a notice's link leads: `pool=NAME&at=TIME`.
function sent(hash) {
  const link = new URLSearchParams(hash.startsWith("pool=") ? hash : "");
  if (!link.get("pool")) return hash || "/";
  const at = link.get("at");
  const place = `/pools/${encodeURIComponent(link.get("pool"))}${at ? `?at=${at}` : ""}`;
  history.replaceState(null, "", `#${place}`);
  return place;
}

/// Lets the page know at once of whatever happens.
async function hear(mine, signal) {
  if (!mine.hears) return;
  try {
    if (await offers("get /events", signal)) await listen("/events", (event) => mine.hears(event), signal);
  } catch (error) {
    // Without events, the page is only as new as the last time it asked.
    if (!signal.aborted) console.debug("events can't be heard", error);
  }
}

/// Asks again and again until the page is left; sooner when something was heard.
async function keep(mine, signal) {
  while (!signal.aborted) {
    try {
      await mine.refresh(signal);
      main.dataset.state = "ready";
      main.querySelector("#page-problem")?.remove();
    } catch (error) {
      if (signal.aborted) return;
      tell(error);
    }
    mark();
    await new Promise((done) => {
      mine.wake = done;
      setTimeout(done, document.hidden ? 5 * EVERY : EVERY);
    });
  }
}

/// Says what went wrong where nothing else does: silence is told by the banner.
function tell(error) {
  if (error.status === 401) {
    askToken(again, "This daemon asks for a token.");
    return;
  }
  if (!error.status) return;
  // Where nothing was ever shown, an empty page would only look like a pool without anything.
  if (main.dataset.state !== "ready" && !main.querySelector("#page-problem")) fill(main);
  let problem = main.querySelector("#page-problem");
  if (!problem) {
    problem = el("div", { id: "page-problem", class: "problem", role: "alert" });
    main.prepend(problem);
  }
  const words = `${error.title ?? "It failed"}: ${error.message}`;
  if (problem.dataset.words === words) return;
  problem.dataset.words = words;
  fill(problem, el("p", {}, words), el("p", {}, el("a", { href: "#/" }, "All pools")));
}

/// Whether what is shown is still so.
function mark() {
  const age = Date.now() - (contact.at || performance.timeOrigin);
  const silent = age > STALE_AFTER;
  stale.hidden = !silent;
  if (silent) {
    write(stale, contact.at
      ? `The daemon doesn't answer: everything below is ${length(age / 1000)} old. Scaling may go on or not; look at the service: systemctl status windlass.`
      : "The daemon doesn't answer. Look at the service: systemctl status windlass.");
  }
  write(live, contact.refused ? "no access" : silent ? "stale" : contact.at ? "live" : "connecting");
  live.dataset.state = contact.refused || silent ? "bad" : contact.at ? "good" : "";
}

function again() {
  shown = null;
  open();
}

const KEYS = {
  "?": ["show these keys", showKeys],
  h: ["go to all pools", () => { location.hash = "#/"; }],
  t: ["give a token", () => askToken(again)],
};

function showKeys() {
  if (document.querySelector("dialog")) return;
  const all = { ...KEYS, ...page?.keys };
  const box = dialog("Keys",
    el("dl", { class: "keys" }, Object.entries(all).map(([key, [what]]) =>
      el("div", {}, el("dt", {}, el("kbd", {}, key)), el("dd", {}, what)))),
    el("p", { class: "by" }, "On the chart: arrows choose a moment, + and − zoom, Escape returns to now. Escape closes this."),
    el("div", { class: "buttons" }, el("button", { type: "button", onclick: () => box.close() }, "Close")));
}

addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog")) return;
  if (event.target.closest?.("input, select, textarea")) {
    if (event.key === "Escape") event.target.blur();
    return;
  }
  const act = page?.keys?.[event.key] ?? KEYS[event.key];
  if (!act) return;
  event.preventDefault();
  act[1]();
});
addEventListener("hashchange", open);
document.addEventListener("visibilitychange", () => { if (!document.hidden) page?.wake?.(); });
document.querySelector(".skip").addEventListener("click", (event) => { event.preventDefault(); main.focus(); });
document.getElementById("keys-button").addEventListener("click", showKeys);
document.getElementById("token-button").addEventListener("click", () => askToken(again));
setInterval(mark, 1000);
open();
