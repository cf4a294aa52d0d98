// The live chart: a signal against what the nodes carry, and the nodes below it, over one time.

import { announce, el, fill, keyed, write } from "./dom.js";
import { clock, count, length, number, when } from "./format.js";
import { ask, now } from "./api.js";
import { drawMarks, drawSpans } from "./marks.js";

const HOUR = 3600;
const RANGES = [[HOUR, "1 h"], [6 * HOUR, "6 h"], [24 * HOUR, "1 d"], [7 * 24 * HOUR, "7 d"], [30 * 24 * HOUR, "30 d"]];
const LONGEST = 90 * 24 * HOUR;
const SHORTEST = 60;
/// A pointer that moved further than this between down and up has dragged.
const DRAGGED = 5;
/// Buckets can be shorter than the time between decisions; a longer silence is a gap.
const BRIDGED = 90;

/// A chart of `pool`. `choose(moment)` hears of a chosen moment: an ISO time, or null for now.
export function chart(pool, choose) {
  const view = { seconds: HOUR, until: null, signal: null, moment: null };
  let data = null;
  let plots = [];
  const readout = el("p", { class: "readout", "aria-live": "polite" });
  const canvas = el("div", {
    class: "canvas", tabindex: "0", role: "group", "aria-label":
      "Chart. Left and right arrows choose a moment, plus and minus zoom, Escape returns to now.",
    onkeydown: keydown,
  });
  const signals = el("select", { id: "signal", onchange: (event) => { view.signal = event.target.value; draw(); } });
  const ranges = el("div", { class: "buttons", role: "group", "aria-label": "Length of time" },
    RANGES.map(([seconds, text]) => el("button", {
      type: "button", "data-seconds": seconds, onclick: () => go({ seconds, until: null }),
    }, text)));
  const moves = el("div", { class: "buttons", role: "group", "aria-label": "Move through time" },
    [["Earlier", () => shift(-1)], ["Later", () => shift(1)], ["Zoom in", () => zoom(0.5)],
      ["Zoom out", () => zoom(2)], ["Now", () => { pick(null); go({ until: null }); }]]
      .map(([text, act]) => el("button", { type: "button", onclick: act }, text)));
  const trouble = el("p", { class: "problem", role: "alert", hidden: true });
  const legend = el("p", { class: "legend" });
  const rows = el("tbody");
  const list = el("details", { class: "changes" }, el("summary", {}, "Decisions in this time"),
    el("div", { class: "wide tall", tabindex: "0", role: "region", "aria-label": "Decisions in this time" },
      el("table", {}, el("thead", {}, el("tr", {},
        ["When", "Nodes", "Why", ""].map((title) => title
          ? el("th", { scope: "col" }, title)
          : el("td", {}, el("span", { class: "hidden-label" }, "Act"))))), rows)));
  const section = el("section", { id: "chart", "aria-labelledby": "chart-title" },
    el("h2", { id: "chart-title" }, "Load and nodes"),
    el("div", { class: "controls" }, ranges, moves, el("label", {}, "Signal ", signals)),
    trouble, canvas, readout, legend, list);

  let asked = 0;
  async function refresh(signal) {
    const mine = ++asked;
    const until = view.until ?? now();
    const points = Math.min(2000, Math.max(100, Math.round(canvas.clientWidth / 1.5)));
    const from = new Date(until - view.seconds * 1000).toISOString();
    const end = new Date(until).toISOString();
    try {
      const told = await ask(`/pools/${pool}/history?from=${from}&until=${end}&points=${points}`, { signal });
      if (mine !== asked) return;
      data = told;
      trouble.hidden = true;
      draw();
    } catch (error) {
      if (error.name === "AbortError") return;
      trouble.hidden = false;
      write(trouble, `The chart could not be brought up to date: ${error.message}`);
      throw error;
    }
  }

  function go(change) {
    Object.assign(view, change);
    refresh().catch(() => {});
  }
  function zoom(factor) {
    const middle = view.moment ? Date.parse(view.moment) : (view.until ?? now()) - view.seconds * 500;
    const seconds = Math.min(LONGEST, Math.max(SHORTEST, view.seconds * factor));
    const until = middle + seconds * 500;
    go({ seconds, until: until >= now() ? null : until });
  }
  function shift(way) {
    const until = (view.until ?? now()) + way * view.seconds * 500;
    go({ until: until >= now() ? null : until });
  }
  function pick(moment) {
    view.moment = moment;
    draw();
    choose(moment);
  }

  function keydown(event) {
    const step = data ? Math.max(1, Math.round(view.seconds / 120 / data.bucket_seconds)) * data.bucket_seconds : 0;
    const keys = {
      ArrowLeft: () => pick(moved(-step)),
      ArrowRight: () => pick(moved(step)),
      "+": () => zoom(0.5),
      "=": () => zoom(0.5),
      "-": () => zoom(2),
      Escape: () => { pick(null); go({ until: null }); },
    };
    if (!keys[event.key] || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    event.stopPropagation();
    keys[event.key]();
  }
  function moved(seconds) {
    const at = (view.moment ? Date.parse(view.moment) : view.until ?? now()) + seconds * 1000;
    return at >= now() ? null : new Date(at).toISOString();
  }

  function columns() {
    const from = Date.parse(data.from) / 1000;
    const x = data.counts.serving.low.map((_, place) => from + place * data.bucket_seconds);
    const signal = data.signals[view.signal];
    const times = (list) => (signal?.per_node ? list.map((many) => (many === null ? null : many * signal.per_node)) : []);
    const joined = (list) => bridged(list, BRIDGED / data.bucket_seconds);
    const counts = {};
    for (const [name, band] of Object.entries(data.counts)) counts[name] = { low: joined(band.low), high: joined(band.high) };
    return {
      x, counts, signal: signal && { ...signal, low: joined(signal.low), high: joined(signal.high) },
      capacity: times(counts.serving.low), coming: times(counts.committed.low),
    };
  }

  function draw() {
    if (!data) return;
    const names = Object.keys(data.signals);
    if (!names.includes(view.signal)) {
      // The one that says what a node carries is what people want to see first.
      view.signal = names.find((name) => data.signals[name].per_node) ?? names[0] ?? null;
    }
    keyed(signals, names, (name) => name, (name) => el("option", { value: name }, name), () => {});
    signals.value = view.signal ?? "";
    signals.parentElement.hidden = names.length < 2;
    for (const button of ranges.children) {
      const pressed = view.until === null && Number(button.dataset.seconds) === view.seconds;
      button.setAttribute("aria-pressed", String(pressed));
    }
    moves.lastElementChild.setAttribute("aria-pressed", String(view.until === null && !view.moment));
    const { x, signal, capacity, coming, counts: nodes } = columns();
    const empty = new Array(x.length).fill(null);
    const load = signal ? [x, signal.high, signal.low, signal.per_node ? capacity : empty, signal.per_node ? coming : empty,
      signal.target === null || signal.target === undefined ? empty : x.map(() => signal.target)] : null;
    const fleet = [x, nodes.serving.low, nodes.committed.high, nodes.desired.high];
    const wanted = (load ? 2 : 1) * 1000 + Math.round(canvas.clientWidth);
    if (canvas.dataset.made !== String(wanted) || plots.length === 0) make(load, fleet, wanted);
    else plots.forEach((plot, place) => plot.setData(load && place === 0 ? load : fleet, true));
    for (const plot of plots) plot.setScale("x", range());
    tell();
    drawLegend(signal);
    drawChanges();
  }

  function range() {
    return { min: Date.parse(data.from) / 1000, max: Date.parse(data.until) / 1000 };
  }

  function make(load, fleet, key) {
    for (const plot of plots) plot.destroy();
    canvas.dataset.made = String(key);
    const color = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
    const width = Math.max(260, canvas.clientWidth);
    const axis = { stroke: color("--soft"), grid: { stroke: color("--rule"), width: 1 }, ticks: { show: false }, font: "12px system-ui, sans-serif" };
    const time = (_, splits) => splits.map((at) => (view.seconds > 2 * 24 * HOUR
      ? new Date(at * 1000).toLocaleDateString("en-GB", { day: "numeric", month: "short" })
      : clock(at * 1000).slice(0, view.seconds < 600 ? 8 : 5)));
    const common = (height, last) => ({
      width, height, padding: [10, 8, last ? 0 : 8, 0], legend: { show: false },
      scales: { x: { time: true, auto: false, range: () => { const { min, max } = range(); return [min, max]; } }, y: { range: (_, low, high) => [0, high > 0 ? high * 1.08 : 1] } },
      cursor: { sync: { key: "windlass" }, drag: { x: true, y: false, setScale: false }, points: { show: false }, bind: { dblclick: () => () => zoom(2) } },
      axes: [{ ...axis, show: last, values: time, size: 26, space: width < 500 ? 70 : 90 },
        { ...axis, size: 52, space: 34, values: (_, splits) => splits.map(number) }],
      hooks: {
        drawClear: [(plot) => drawSpans(plot, data, color)],
        draw: [(plot) => drawMarks(plot, data, view.moment, last, color)],
        setCursor: [(plot) => { hovered = plot.cursor.idx ?? null; tell(); }],
        setSelect: [(plot) => {
          if (plot.select.width < DRAGGED) return;
          const from = plot.posToVal(plot.select.left, "x");
          const until = plot.posToVal(plot.select.left + plot.select.width, "x");
          plot.setSelect({ left: 0, width: 0, top: 0, height: 0 }, false);
          go({ seconds: Math.max(SHORTEST, until - from), until: until * 1000 >= now() ? null : until * 1000 });
        }],
        ready: [clickable],
      },
    });
    const stepped = uPlot.paths.stepped({ align: 1 });
    plots = [];
    if (load) {
      plots.push(new uPlot({
        ...common(width < 500 ? 170 : 220, false),
        bands: [{ series: [1, 2], fill: color("--demand-fill") }],
        series: [{}, { stroke: color("--demand"), width: 1.5 }, { stroke: color("--demand"), width: 1 },
          { stroke: color("--ours"), width: 2, paths: stepped },
          { stroke: color("--paid"), width: 1.5, dash: [5, 4], paths: stepped },
          { stroke: color("--late"), width: 1, dash: [2, 3] }],
      }, load, canvas));
    }
    plots.push(new uPlot({
      ...common(width < 500 ? 150 : 170, true),
      series: [{}, { stroke: color("--ours"), fill: color("--ours-fill"), width: 2, paths: stepped },
        { stroke: color("--paid"), width: 1.5, dash: [5, 4], paths: stepped },
        { stroke: color("--mark"), width: 1, paths: stepped }],
    }, fleet, canvas));
  }

  let hovered = null;
  function clickable(plot) {
    let down = null;
    plot.over.addEventListener("mousedown", (event) => { down = event.clientX; });
    plot.over.addEventListener("mouseup", (event) => {
      if (down === null || Math.abs(event.clientX - down) >= DRAGGED) return;
      const at = plot.posToVal(event.clientX - plot.over.getBoundingClientRect().left, "x") * 1000;
      pick(new Date(Math.min(at, now())).toISOString());
    });
  }

  /// Numbers under the pointer; else at the chosen moment; else the newest.
  function tell() {
    if (!data) return;
    const { x, signal, capacity, counts } = columns();
    const chosen = view.moment ? Math.floor((Date.parse(view.moment) - Date.parse(data.from)) / 1000 / data.bucket_seconds) : null;
    let place = hovered ?? chosen ?? x.length - 1;
    while (hovered === null && place > 0 && counts.serving.low[place] == null) place -= 1;
    const most = (band) => number(band.high[place]);
    if (counts.serving.low[place] == null) {
      write(readout, x[place] ? `${when(x[place] * 1000)}: nothing was decided then` : "Nothing was decided in this time.");
      return;
    }
    const load = signal
      ? `${view.signal} ${number(signal.high[place])}${signal.per_node ? ` of ${number(capacity[place])} carried` : ""}; `
      : "";
    write(readout, `${when(x[place] * 1000)}: ${load}${most(counts.serving)} serving, ${
      most(counts.on_the_way)} on the way, ${most(counts.desired)} desired`);
  }

  function drawLegend(signal) {
    const key = (kind, text) => el("span", { class: ["k", kind] }, text);
    fill(legend, [
      signal && key("demand", view.signal),
      signal?.per_node && key("serving", "carried by serving nodes"),
      signal?.per_node && key("paid", "with those on the way"),
      signal?.target != null && key("target", "what it should be"),
      key("serving", "serving"), key("paid", "committed"), key("desired", "desired"), key("decision", "decision"),
      data.hints.length > 0 && key("hint", "campaign"),
      data.freezes.some(({ kind }) => kind === "held") && key("freeze", "held"),
      data.freezes.some(({ kind }) => kind === "blind") && key("blind", "no signal readable"),
    ].filter(Boolean).flatMap((one) => [one, " "]));
  }

  function drawChanges() {
    write(list.firstElementChild, `${count(data.changes.length, "decision")} changed the count in ${
      length((Date.parse(data.until) - Date.parse(data.from)) / 1000)}`);
    keyed(rows, [...data.changes].reverse(), (one) => one.id,
      (one) => el("tr", {}, el("td", {}, when(one.at)), el("td", { class: one.to > one.from ? "out" : "in" },
        `${one.to > one.from ? "▲" : "▼"} ${one.from} → ${one.to}`), el("td", { class: "text" }, one.reason),
      el("td", {}, el("button", { type: "button", onclick: () => { pick(one.at); announce(`Why at ${when(one.at)} is shown`); } },
        "Why", el("span", { class: "hidden-label" }, ` at ${when(one.at)}`)))),
      () => {});
  }

  const again = () => { plots.forEach((plot) => plot.destroy()); plots = []; draw(); };
  const dark = matchMedia("(prefers-color-scheme: dark)");
  dark.addEventListener("change", again);
  const resized = new ResizeObserver(() => draw());
  resized.observe(canvas);
  return {
    section, refresh, pick,
    /// Shows the time around `moment`, in milliseconds, and explains it.
    show(moment) {
      const until = moment + view.seconds * 500;
      view.until = until < now() ? until : null;
      pick(new Date(Math.min(moment, now())).toISOString());
      if (view.until !== null) refresh().catch(() => {});
    },
    /// Whether it follows the present.
    isLive: () => view.until === null,
    /// How long a bucket is: asking more often shows nothing new.
    bucketSeconds: () => data?.bucket_seconds ?? 1,
    range: (seconds) => go({ seconds, until: null }),
    focus: () => canvas.focus(),
    end() {
      resized.disconnect();
      dark.removeEventListener("change", again);
      for (const plot of plots) plot.destroy();
    },
  };
}

/// The same, with each gap of at most `most` places filled by what stood before it.
function bridged(list, most) {
  const filled = [...list];
  let known = -1;
  list.forEach((value, place) => {
    if (value === null) return;
    if (known >= 0 && place - known <= most) filled.fill(list[known], known + 1, place);
    known = place;
  });
  if (known >= 0 && list.length - known <= most) filled.fill(list[known], known + 1);
  return filled;
}
