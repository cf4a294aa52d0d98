// What is drawn on a chart beside its lines: campaigns, freezes, decisions, the chosen moment.

/// Under the lines: campaigns as shaded times, freezes as stripes along the top.
export function drawSpans(plot, data, color) {
  const { ctx, bbox } = plot;
  const at = (moment) => Math.min(bbox.left + bbox.width,
    Math.max(bbox.left, plot.valToPos(Date.parse(moment) / 1000, "x", true)));
  ctx.save();
  for (const hint of data.hints) {
    if (hint.cancelled_at) continue;
    const from = at(hint.hint.starts_at);
    const sent = Date.parse(hint.hint.starts_at) + seconds(hint.hint.spread) * 1000;
    const until = at(new Date(sent + seconds(hint.hint.tail ?? "10m") * 1000).toISOString());
    ctx.fillStyle = color("--hint-fill");
    ctx.fillRect(from, bbox.top, Math.max(2, until - from), bbox.height);
    ctx.fillStyle = color("--hint");
    ctx.fillRect(from, bbox.top, Math.max(1, devicePixelRatio), bbox.height);
  }
  for (const freeze of data.freezes) {
    const from = at(freeze.since);
    ctx.fillStyle = color(freeze.kind === "held" ? "--held" : "--late");
    ctx.fillRect(from, bbox.top, Math.max(2, at(freeze.until) - from), 4 * devicePixelRatio);
  }
  ctx.restore();
}

/// Over the lines: decisions on the chart of nodes, and the chosen moment on both.
export function drawMarks(plot, data, moment, isFleet, color) {
  const { ctx, bbox } = plot;
  const dot = devicePixelRatio;
  ctx.save();
  if (isFleet) {
    // Far too many would hide the lines; the list below has them all.
    const size = (data.changes.length > 120 ? 3 : 5) * dot;
    for (const change of data.changes) {
      const x = plot.valToPos(Date.parse(change.at) / 1000, "x", true);
      const y = plot.valToPos(change.to, "y", true);
      const way = change.to > change.from ? 1 : -1;
      ctx.beginPath();
      ctx.moveTo(x, y - way * size);
      ctx.lineTo(x + size, y + way * size);
      ctx.lineTo(x - size, y + way * size);
      ctx.closePath();
      ctx.fillStyle = color("--mark");
      ctx.fill();
      ctx.strokeStyle = color("--paper");
      ctx.lineWidth = dot;
      ctx.stroke();
    }
  }
  if (moment) {
    const x = plot.valToPos(Date.parse(moment) / 1000, "x", true);
    if (x >= bbox.left && x <= bbox.left + bbox.width) {
      ctx.fillStyle = color("--late");
      ctx.fillRect(Math.round(x) - dot, bbox.top, 2 * dot, bbox.height);
    }
  }
  ctx.restore();
}

/// A length as the API writes it, such as "1h 2m 3s", in seconds.
export function seconds(text) {
  const units = { d: 86400, day: 86400, days: 86400, h: 3600, m: 60, s: 1, ms: 0.001, us: 1e-6, ns: 1e-9 };
  let sum = 0;
  for (const [, amount, unit] of String(text).matchAll(/(\d+)\s*([a-z]+)/g)) sum += Number(amount) * (units[unit] ?? 0);
  return sum;
}
