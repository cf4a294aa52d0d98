"use strict";
(() => {
  const escape = (text) => String(text).replace(/[&<>"']/g, (c) => `&#${c.charCodeAt(0)};`);
  const two = (n) => String(n).padStart(2, "0");
  const number = (n) => String(Math.round(n * 100) / 100);

  // Values that were run-length coded.
  const unpack = (runs, length) => {
    const out = new Float64Array(length);
    let at = 0;
    for (let i = 0; i + 1 < runs.length; i += 2) {
      out.fill(runs[i], at, at + runs[i + 1]);
      at += runs[i + 1];
    }
    return out;
  };

  const percent = (share) => {
    const p = share * 100;
    if (p === 0) return "0 %";
    return p < 0.001 ? "under 0.001 %" : `${p < 0.1 ? p.toFixed(3) : p < 1 ? p.toFixed(2) : p.toFixed(1)} %`;
  };

  const STEPS = [10, 60, 300, 900, 1800, 3600, 10800, 21600, 43200, 86400, 172800, 604800, 1209600, 2592000, 7776000];

  function plot(figure) {
    const data = JSON.parse(figure.querySelector("script").textContent);
    if (!data) return;
    const canvas = figure.querySelector(".canvas");
    const tip = figure.querySelector(".tip");
    const select = figure.querySelector("select");
    const n = data.buckets;
    const low = unpack(data.low, n);
    const high = unpack(data.high, n);
    const rate = unpack(data.rate, n);
    const all = data.contenders.map((one, place) => ({
      name: one.name,
      size: one.size,
      low: unpack(one.low, n),
      high: unpack(one.high, n),
      paid: unpack(one.paid, n),
      late: unpack(one.late, n),
      changes: [...figure.querySelectorAll(`[data-contender="${place}"] tbody tr`)].map((row) => ({
        at: Number(row.dataset.at),
        when: row.cells[0].textContent,
        from: Number(row.cells[1].textContent),
        to: Number(row.cells[2].textContent),
        why: row.cells[3].textContent,
      })),
    }));
    // What is seen: buckets, the last one not included.
    let view = [0, n];
    let focused = -1;
    let place = {};

    const moment = (seconds) => {
      if (data.begins !== null) {
        const date = new Date((data.begins + seconds) * 1000).toISOString();
        return `${date.slice(0, 10)} ${date.slice(11, 16)} UTC`;
      }
      const s = Math.floor(seconds);
      return `day ${Math.floor(s / 86400) + 1}, ${two(Math.floor(s / 3600) % 24)}:${two(Math.floor(s / 60) % 60)}`;
    };
    const tick = (seconds, step) => {
      const words = moment(seconds).replace(" UTC", "");
      if (step >= 86400) return data.begins !== null ? words.slice(5, 10) : words.split(",")[0];
      const time = words.slice(-5);
      return time === "00:00" ? (data.begins !== null ? words.slice(5, 10) : words.split(",")[0]) : time;
    };

    function draw() {
      const one = all[Number(select.value)];
      const width = Math.max(280, canvas.clientWidth || 800);
      const [left, right, top, tall] = [40, 8, 8, width < 500 ? 220 : 300];
      const lane = top + tall + 22;
      const lateTop = lane + 34;
      const lateTall = 46;
      const height = lateTop + lateTall + 20;
      const w = width - left - right;
      const [a, b] = view;
      // Columns are buckets, or pixels where these are wider.
      const columns = Math.min(b - a, Math.floor(w));
      const span = (b - a) / columns;
      const x = (bucket) => left + ((bucket - a) / (b - a)) * w;
      const reduce = (series, from, until, take) => {
        let value = series[from];
        for (let i = from + 1; i < until; i++) value = take(value, series[i]);
        return value;
      };
      const cut = (i) => {
        const from = Math.floor(a + i * span);
        return [from, Math.max(from + 1, Math.min(n, Math.floor(a + (i + 1) * span)))];
      };
      let most = 1;
      for (let i = a; i < b; i++) most = Math.max(most, high[i], one.paid[i] * one.size, one.high[i] * one.size);
      const nice = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10000, 20000].find((s) => most / s <= 6) || 50000;
      const roof = Math.ceil(most / nice) * nice;
      const y = (nodes) => top + tall - (nodes / roof) * tall;
      const edge = (series, size, take) => {
        const points = [];
        for (let i = 0; i < columns; i++) {
          const [from, until] = cut(i);
          const level = y(reduce(series, from, until, take) * size).toFixed(1);
          points.push(`${x(a + i * span).toFixed(1)} ${level}`, `${x(a + (i + 1) * span).toFixed(1)} ${level}`);
        }
        return points;
      };
      const band = (lows, highs, size) =>
        `M${[...edge(highs, size, Math.max), ...edge(lows, size, Math.min).reverse()].join("L")}Z`;
      let late = "";
      for (let i = 0; i < columns; i++) {
        const [from, until] = cut(i);
        const share = reduce(one.late, from, until, Math.max);
        if (share < 1e-4) continue;
        // The root, so that a percent is still seen beside a hundred.
        const tallness = Math.max(2, Math.sqrt(share) * lateTall);
        const wide = Math.max(1.5, (w / columns) * 1.02);
        late += `<rect class="late" x="${x(a + i * span).toFixed(1)}" y="${(lateTop + lateTall - tallness).toFixed(1)}" width="${wide.toFixed(1)}" height="${tallness.toFixed(1)}"/>`;
      }
      let grid = "";
      for (let v = 0; v <= roof; v += nice) {
        grid += `<path class="grid" d="M${left} ${y(v).toFixed(1)}h${w}"/><text class="tick" text-anchor="end" x="${left - 5}" y="${(y(v) + 4).toFixed(1)}">${v}</text>`;
      }
      const [t0, t1] = [data.from + a * data.bucket, data.from + b * data.bucket];
      const step = STEPS.find((s) => (t1 - t0) / s <= w / 72) || 31536000;
      const zone = data.begins === null ? 0 : data.begins % step;
      for (let t = Math.ceil((t0 + zone) / step) * step - zone; t <= t1; t += step) {
        const at = x((t - data.from) / data.bucket).toFixed(1);
        grid += `<path class="grid" d="M${at} ${top}V${lateTop + lateTall}"/><text class="tick" text-anchor="middle" x="${at}" y="${top + tall + 15}">${tick(t, step)}</text>`;
      }
      const visible = one.changes.map((change, i) => [change, i]).filter(([change]) => t0 <= change.at && change.at < t1);
      if (!visible.some(([, i]) => i === focused)) focused = visible.length ? visible[0][1] : -1;
      const marks = visible
        .map(([change, i]) => {
          const at = x((change.at - data.from) / data.bucket);
          const up = change.to > change.from;
          const d = up ? `M${at.toFixed(1)} ${lane}l5 9h-10Z` : `M${at.toFixed(1)} ${lane + 22}l-5 -9h10Z`;
          const says = `${change.when}: ${change.from} to ${change.to} nodes. ${change.why}`;
          return `<path class="mark" role="img" data-change="${i}" tabindex="${i === focused ? 0 : -1}" aria-label="${escape(says)}" d="${d}"/>`;
        })
        .join("");
      const empty = all.length && one.changes.length === 0
        ? `<text class="tick" x="${left + 6}" y="${lane + 15}">its decisions give no reasons</text>` : "";
      canvas.innerHTML = `<svg viewBox="0 0 ${width} ${height}" style="height:${height}px" aria-label="${escape(one.name)}: nodes over time" role="group">
        ${grid}
        <path class="demand" d="${band(new Float64Array(n), high, 1)}"/>
        <path class="demand" d="${band(low, high, 1)}"/>
        <path class="paid" d="M${edge(one.paid, one.size, Math.max).join("L")}"/>
        <path class="serving" d="${band(one.low, one.high, one.size)}"/>
        <rect class="lane" x="${left}" y="${lane - 2}" width="${w}" height="26"/>${empty}${marks}
        <text class="tick" text-anchor="end" x="${left - 5}" y="${lateTop + 8}">100 %</text>
        <text class="tick" text-anchor="end" x="${left - 5}" y="${lateTop + lateTall}">late</text>
        <path class="grid" d="M${left} ${lateTop + lateTall}h${w}"/>${late}
        <rect class="brush" x="0" y="${top}" width="0" height="${lateTop + lateTall - top}"/>
        <path class="hair" d=""/></svg>`;
      place = { left, w, top, bottom: lateTop + lateTall, lane, one };
    }

    const bucketAt = (event) => {
      const box = canvas.getBoundingClientRect();
      const share = (event.clientX - box.left - place.left) / place.w;
      return view[0] + Math.min(1, Math.max(0, share)) * (view[1] - view[0]);
    };
    const look = (from, until) => {
      const wide = Math.min(n, Math.max(Math.min(n, 12), Math.round(until - from)));
      const first = Math.min(n - wide, Math.max(0, Math.round(from)));
      view = [first, first + wide];
      tip.hidden = true;
      draw();
    };
    const show = (html, clientX, clientY) => {
      tip.innerHTML = html;
      tip.hidden = false;
      const box = figure.getBoundingClientRect();
      const at = Math.min(Math.max(0, clientX - box.left + 14), Math.max(0, box.width - tip.offsetWidth));
      const above = clientY - box.top - tip.offsetHeight - 12;
      tip.style.left = `${at}px`;
      tip.style.top = `${above > 0 ? above : clientY - box.top + 16}px`;
    };
    const showChange = (mark) => {
      const change = place.one.changes[Number(mark.dataset.change)];
      const box = mark.getBoundingClientRect();
      show(`<b>${escape(change.when)}: ${change.from} → ${change.to} nodes</b><br>${escape(change.why)}`, box.left, box.top);
    };

    let drag = null;
    canvas.addEventListener("pointerdown", (event) => {
      if (event.button !== 0 || event.target.closest(".mark")) return;
      drag = { bucket: bucketAt(event), x: event.clientX };
    });
    canvas.addEventListener("pointermove", (event) => {
      const mark = event.target.closest(".mark");
      if (mark && !drag) return showChange(mark);
      const bucket = bucketAt(event);
      const i = Math.min(n - 1, Math.floor(bucket));
      const x = place.left + ((bucket - view[0]) / (view[1] - view[0])) * place.w;
      canvas.querySelector(".hair").setAttribute("d", `M${x} ${place.top}V${place.bottom}`);
      if (drag) {
        const from = place.left + ((drag.bucket - view[0]) / (view[1] - view[0])) * place.w;
        const brush = canvas.querySelector(".brush");
        brush.setAttribute("x", Math.min(from, x));
        brush.setAttribute("width", Math.abs(x - from));
      }
      const range = (l, h) => (l === h ? number(l) : `${number(l)} to ${number(h)}`);
      const { one } = place;
      const size = one.size === 1 ? "" : ` (each ${number(one.size)} of everyone's nodes)`;
      show(
        `<b>${moment(data.from + i * data.bucket)}</b><br>demand ${range(low[i], high[i])} nodes (${number(rate[i])} req/s)<br>` +
          `serving ${range(one.low[i], one.high[i])}, paid for ${number(one.paid[i])}${size}<br>late ${percent(one.late[i])}`,
        event.clientX, event.clientY);
    });
    const drop = (event) => {
      if (!drag) return;
      const [from, moved] = [drag.bucket, Math.abs(event.clientX - drag.x)];
      drag = null;
      const until = bucketAt(event);
      if (moved > 6) look(Math.min(from, until), Math.max(from, until));
    };
    addEventListener("pointerup", drop);
    addEventListener("pointercancel", () => { if (drag) { drag = null; draw(); } });
    canvas.addEventListener("pointerleave", () => { tip.hidden = true; });
    canvas.addEventListener("focusin", (event) => {
      const mark = event.target.closest(".mark");
      if (mark) { focused = Number(mark.dataset.change); showChange(mark); }
    });
    canvas.addEventListener("focusout", () => { tip.hidden = true; });
    canvas.addEventListener("keydown", (event) => {
      const mark = event.target.closest(".mark");
      const ways = { ArrowRight: 1, ArrowLeft: -1 };
      if (!mark || !(event.key in ways || event.key === "Home" || event.key === "End")) return;
      event.preventDefault();
      const marks = [...canvas.querySelectorAll(".mark")];
      const at = marks.indexOf(mark);
      const next = event.key === "Home" ? 0 : event.key === "End" ? marks.length - 1 : at + ways[event.key];
      if (!marks[next]) return;
      mark.tabIndex = -1;
      marks[next].tabIndex = 0;
      marks[next].focus();
    });
    figure.querySelector(".buttons").addEventListener("click", (event) => {
      const act = event.target.dataset.do;
      const [a, b] = view;
      const wide = b - a;
      if (act === "in") look(a + wide / 4, b - wide / 4);
      if (act === "out") look(a - wide / 2, b + wide / 2);
      if (act === "left") look(a - wide / 2, b - wide / 2);
      if (act === "right") look(a + wide / 2, b + wide / 2);
      if (act === "all") look(0, n);
      if (act === "worst") {
        const { late } = all[Number(select.value)];
        let worst = 0;
        for (let i = 1; i < n; i++) if (late[i] * rate[i] > late[worst] * rate[worst]) worst = i;
        const hours = Math.max(20, 5400 / data.bucket);
        look(worst - hours, worst + hours);
      }
    });
    select.addEventListener("change", () => { focused = -1; draw(); });
    new ResizeObserver(draw).observe(canvas);
    draw();
  }

  function sortable(table) {
    const heads = [...table.tHead.rows[0].cells];
    heads.forEach((head, column) => {
      if (head.querySelector("a")) return;
      const button = document.createElement("button");
      button.type = "button";
      button.textContent = head.textContent;
      head.textContent = "";
      head.append(button);
      button.addEventListener("click", () => {
        const ascending = head.getAttribute("aria-sort") !== "ascending";
        heads.forEach((other) => other.removeAttribute("aria-sort"));
        head.setAttribute("aria-sort", ascending ? "ascending" : "descending");
        const value = (row) => {
          const cell = row.cells[column];
          return cell.dataset.value === undefined ? cell.textContent : Number(cell.dataset.value);
        };
        const order = (one, other) => (one < other ? -1 : one > other ? 1 : 0);
        const rows = [...table.tBodies[0].rows];
        rows.sort((one, other) => order(value(one), value(other)) * (ascending ? 1 : -1));
        table.tBodies[0].append(...rows);
      });
    });
  }

  document.querySelectorAll("figure.plot").forEach(plot);
  document.querySelectorAll("table.sortable").forEach(sortable);
})();
