// Elements, notices, acts and lists of tabs. Texts of people become text nodes, never markup.

import { words } from "./state.js";

export const $ = (selector, root = document) => root.querySelector(selector);

export function el(tag, properties = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (name in node && !name.includes("-")) node[name] = value;
    else node.setAttribute(name, value);
  }
  node.append(...children.filter((child) => child !== null && child !== undefined && child !== ""));
  return node;
}

export const fill = (text, values) => text.replace(/\{(\w+)\}/g, (_, name) => values[name] ?? "");
export const shortened = (text, most = 90) => (text.length > most ? `${text.slice(0, most)} …` : text);

let noticed;
export function notice(text, seconds = 6) {
  const box = $("#notice");
  clearTimeout(noticed);
  box.textContent = text;
  box.hidden = !text;
  if (seconds) noticed = setTimeout(() => { box.hidden = true; }, seconds * 1000);
}

export async function post(path, body) {
  const answer = await fetch(path, { method: "POST", body }).catch(() => null);
  if (answer?.ok) return answer.json();
  notice(answer?.status === 413 ? words.too_large : words.failed);
  return null;
}
export const act = (what) => post("act", JSON.stringify(what));

// Arrow keys, Home and End move between the tabs of a list; the chosen one alone is in the tab order.
export function arrows(list) {
  list.addEventListener("keydown", (event) => {
    const tabs = [...list.querySelectorAll("[role=tab]")];
    const at = tabs.indexOf(document.activeElement);
    const to = { ArrowRight: at + 1, ArrowDown: at + 1, ArrowLeft: at - 1, ArrowUp: at - 1, Home: 0, End: -1 }[event.key];
    if (at < 0 || to === undefined) return;
    event.preventDefault();
    const key = tabs.at(to % tabs.length).dataset.key;
    tabs.at(to % tabs.length).click();
    list.querySelector(`[data-key="${key}"]`).focus();
  });
}

export function tabs(list, panel, items, chosen, choose) {
  const focused = list.contains(document.activeElement) ? document.activeElement.dataset.key : null;
  list.replaceChildren(...items.map(({ key, label, detail, unread }) => el("button", {
    type: "button", role: "tab", "aria-selected": String(key === chosen), tabIndex: key === chosen ? 0 : -1,
    "aria-controls": panel.id, "data-key": key, onclick: () => choose(key),
  }, el("span", {}, label, detail ? el("small", {}, detail) : ""), count(unread))));
  if (focused) list.querySelector(`[data-key="${focused}"]`)?.focus();
}

export const count = (number) => (number
  ? el("span", { className: "count", "aria-label": fill(words.new, { count: number }) }, String(number)) : null);
