// Asking for a token, and forgetting it.

import { dialog, el, write } from "./dom.js";
import { ask, token } from "./api.js";

/// Asks for a token; `done()` is called once one was accepted, or it was forgotten.
export function askToken(done, why = "") {
  if (document.getElementById("token")) return;
  const field = el("input", { id: "token", type: "password", autocomplete: "off", spellcheck: "false", "aria-describedby": "token-note token-problem" });
  const problem = el("p", { id: "token-problem", class: "problem", role: "alert" }, why);
  const form = el("form", {
    onsubmit: async (event) => {
      event.preventDefault();
      const before = token.get();
      token.set(field.value.trim());
      try {
        await ask("/pools");
        box.close();
        done();
      } catch (error) {
        token.set(before);
        write(problem, error.status === 401 ? "The daemon doesn't know this token, or it has expired." : error.message);
        field.focus();
      }
    },
  },
  el("label", { for: "token" }, "Token"), field,
  el("p", { id: "token-note", class: "by" }, "Kept in this tab alone, and forgotten when it is closed. An administrator makes one with windlass token."),
  problem,
  el("div", { class: "buttons" }, el("button", { type: "submit", class: "main" }, "Use it"),
    token.get() && el("button", { type: "button", onclick: () => { token.set(""); box.close(); done(); } }, "Forget it"),
    el("button", { type: "button", onclick: () => box.close() }, "Cancel")));
  const box = dialog("Who are you?", form);
  field.focus();
}
