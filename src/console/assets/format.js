// Numbers, times and lengths as people read them.

const two = (number) => String(number).padStart(2, "0");

/// 1234.5 → "1,234.5"; three digits that count.
export function number(value) {
  if (value === null || value === undefined || !Number.isFinite(value)) return "–";
  const size = Math.abs(value);
  const digits = size >= 100 || Number.isInteger(value) ? 0 : size >= 10 ? 1 : size >= 1 ? 2 : 3;
  return value.toLocaleString("en-US", { maximumFractionDigits: digits });
}

/// "1 node", "2 nodes".
export function count(many, one, more = `${one}s`) {
  return `${number(many)} ${many === 1 ? one : more}`;
}

/// 125 → "2 min 5 s".
export function length(seconds) {
  const whole = Math.max(0, Math.round(seconds));
  const parts = [
    [Math.floor(whole / 86400), "d"],
    [Math.floor(whole / 3600) % 24, "h"],
    [Math.floor(whole / 60) % 60, "min"],
    [whole % 60, "s"],
  ];
  const first = parts.findIndex(([amount]) => amount > 0);
  if (first < 0) return "0 s";
  const told = parts.slice(first, first + 2).filter(([amount]) => amount > 0);
  return told.map(([amount, unit]) => `${amount} ${unit}`).join(" ");
}

/// The viewer's own wall clock: "14:03:05".
export function clock(moment) {
  const date = new Date(moment);
  return `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
}

/// "24 Nov 14:03:05", or only the time of day where it is today's.
export function when(moment, now = Date.now()) {
  const date = new Date(moment);
  if (date.toDateString() === new Date(now).toDateString()) return clock(date);
  const day = date.toLocaleDateString("en-GB", { day: "numeric", month: "short" });
  return `${day} ${clock(date)}`;
}

/// "in 2 min", "3 s ago".
export function away(moment, now) {
  const seconds = (new Date(moment).getTime() - now) / 1000;
  if (seconds >= 0.5) return `in ${length(seconds)}`;
  return seconds > -1 ? "now" : `${length(-seconds)} ago`;
}

/// The words for what stands with underlines in tables: "in_service" → "in service".
export function words(name) {
  return String(name).replaceAll("_", " ");
}

/// Dollars: 12.4 → "$12.40".
export function dollars(value) {
  return value === null || value === undefined ? "–" : `$${value.toFixed(2)}`;
}
