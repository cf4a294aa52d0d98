// Elements from data. Text only ever becomes text: nothing here reads markup.

/// An element. `attributes` sets attributes; a function under `on…` listens; `class` may be a list;
/// null, undefined and false leave an attribute out. Children are elements, text, lists or nothing.
export function el(name, attributes = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (key.startsWith("on")) element.addEventListener(key.slice(2), value);
    else if (key === "class") element.className = [value].flat().filter(Boolean).join(" ");
    else if (key === "value") element.value = value;
    else element.setAttribute(key, value === true ? "" : String(value));
  }
  element.append(...listed(children));
  return element;
}

/// Puts `children` in the place of whatever is in `element`.
export function fill(element, ...children) {
  element.replaceChildren(...listed(children));
}

/// Writes text where it changed, so that a reader's selection and place survive.
export function write(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/// Keeps a child for each item, in order, by key; `update` gets (child, item). Only what changed
/// is touched: focus and scrolling stay where they are.
export function keyed(parent, items, key, make, update) {
  const known = new Map([...parent.children].map((child) => [child.dataset.key, child]));
  let before = parent.firstElementChild;
  for (const item of items) {
    const name = String(key(item));
    let child = known.get(name);
    if (child) known.delete(name);
    else {
      child = make(item);
      child.dataset.key = name;
    }
    update(child, item);
    if (child === before) before = before.nextElementSibling;
    else parent.insertBefore(child, before);
  }
  for (const child of known.values()) child.remove();
}

/// Says something to who can't see the page.
export function announce(text) {
  write(document.getElementById("said"), text);
}

/// A question in a dialog; it is gone when it is closed.
export function dialog(title, ...children) {
  const heading = el("h2", { id: "dialog-title" }, title);
  const box = el("dialog", { "aria-labelledby": "dialog-title" }, heading, ...children);
  box.addEventListener("close", () => box.remove());
  document.body.append(box);
  box.showModal();
  return box;
}

function listed(children) {
  return children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false);
}
