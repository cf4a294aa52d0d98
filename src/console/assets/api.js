// Asking the daemon. The token lies in this tab's own storage and goes nowhere but to /api.

const STORED = "windlass-token";
/// No answer takes longer on a network that works.
const PATIENCE = 15000;

/// What the daemon refused, and what it said about it.
export class Refusal extends Error {
  constructor(status, title, detail) {
    super(detail || title);
    this.status = status;
    this.title = title;
  }
}

/// When the daemon last answered, by this browser's clock; 0: never.
export const contact = { at: 0, refused: false, skew: 0 };

export const token = {
  get: () => sessionStorage.getItem(STORED) ?? "",
  set: (text) => (text ? sessionStorage.setItem(STORED, text) : sessionStorage.removeItem(STORED)),
};

/// The daemon's own time, as far as its answers tell.
export function now() {
  return Date.now() + contact.skew;
}

/// A JSON answer. Throws a `Refusal`, or a TypeError where nobody answers.
export async function ask(path, { method = "GET", body, headers = {}, signal } = {}) {
  const late = AbortSignal.timeout(PATIENCE);
  const answer = await fetch(`/api/v1${path}`, {
    method,
    cache: "no-store",
    headers: {
      ...(body === undefined ? {} : { "content-type": "application/json" }),
      ...bearer(),
      ...headers,
    },
    body: body === undefined ? undefined : JSON.stringify(body),
    signal: signal ? AbortSignal.any([signal, late]) : late,
  });
  heard(answer);
  const text = await answer.text();
  if (answer.ok) return text ? JSON.parse(text) : null;
  let problem = {};
  try {
    problem = JSON.parse(text);
  } catch {
    problem.detail = text.slice(0, 300);
  }
  const also = Array.isArray(problem.problems) ? problem.problems : [];
  const detail = [problem.detail, ...also.filter((one) => one !== problem.detail)].filter(Boolean);
  throw new Refusal(answer.status, problem.title ?? `status ${answer.status}`, detail.join("\n"));
}

let document_ = null;

/// Whether this daemon has an operation, such as "post /pools/{pool}/commands": a page may be
/// older or newer than the daemon that it asks.
export async function offers(operation, signal) {
  document_ ??= await ask("/openapi.json", { signal });
  const [method, path] = operation.split(" ");
  return Boolean(document_.paths[`/api/v1${path}`]?.[method]);
}

/// Hears events until `signal` ends it, calling `tell` for each; resumes after the last one.
/// A stream that breaks off is taken up again; `EventSource` can't send a token.
export async function listen(path, tell, signal) {
  let last = null;
  let rest = 1000;
  while (!signal.aborted) {
    try {
      const headers = { accept: "text/event-stream", ...bearer() };
      if (last !== null) headers["last-event-id"] = last;
      const answer = await fetch(`/api/v1${path}`, { headers, cache: "no-store", signal });
      if (answer.status === 404) return;
      if (!answer.ok) throw new Refusal(answer.status, "no events", "");
      rest = 1000;
      for await (const event of events(answer.body)) {
        heard(answer);
        if (event.id !== null) last = event.id;
        if (event.data) tell(event);
      }
    } catch (error) {
      if (signal.aborted) return;
      console.debug("the stream of events broke off", error);
    }
    await new Promise((done) => setTimeout(done, rest));
    rest = Math.min(rest * 2, 30000);
  }
}

/// The events in a stream's bytes. Source: the WHATWG HTML standard, "Server-sent events".
async function* events(body) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let kept = "";
  let event = { id: null, type: "message", data: "" };
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    const lines = (kept + value).split(/\r\n|\n|\r(?!$)/);
    kept = lines.pop();
    for (const line of lines) {
      if (line === "") {
        yield { ...event, data: event.data.replace(/\n$/, "") };
        event = { id: null, type: "message", data: "" };
        continue;
      }
      const [, field, text] = /^([^:]*)(?:: ?)?(.*)$/s.exec(line);
      if (field === "data") event.data += `${text}\n`;
      else if (field === "event") event.type = text;
      else if (field === "id") event.id = text;
    }
  }
}

function bearer() {
  const text = token.get();
  return text ? { authorization: `Bearer ${text}` } : {};
}

function heard(answer) {
  contact.at = Date.now();
  contact.refused = answer.status === 401;
  const date = Date.parse(answer.headers.get("date") ?? "");
  // The header is cut to whole seconds; a smaller difference is none.
  if (Number.isFinite(date)) contact.skew = Math.abs(date - Date.now()) < 2000 ? 0 : date - Date.now();
}
