// The guided steps.

import { $, el, fill } from "./dom.js";
import { desk, phone, view } from "./sides.js";
import { guide, state, words } from "./state.js";

export const speakers = () => state.candidates.filter((one) => one.language === document.documentElement.lang);
const asker = (step) => speakers()[step.name === "unknown" ? 1 : 0] ?? state.candidates[0];
export const newest = () => desk.known.filter((topic) => !topic.closed).at(-1);
const done = new Set();
let current = null;

export function steps() {
  $("#steps").replaceChildren(...guide.steps.map((step, at) => {
    const ready = !["reply", "learn"].includes(step.name) || newest();
    const action = fill(step.action, { name: asker(step).name, text: step.text });
    const classes = [done.has(step.name) ? "done" : "", current === step.name ? "now" : ""].join(" ").trim();
    return el("li", {}, el("button", {
      type: "button", className: classes, "aria-disabled": String(!ready), "data-step": step.name,
      onclick: () => { if (ready) run(step); },
    },
    el("span", { className: "number", "aria-hidden": "true" }, done.has(step.name) ? "✓" : String(at + 1)),
    el("strong", {}, step.title, done.has(step.name) ? el("span", { className: "hidden" }, ` (${words.done})`) : ""), el("small", {}, action)));
  }));
  $("#then").textContent = guide.steps.find((step) => step.name === current)?.then ?? "";
}

export function restep() {
  const focused = document.activeElement?.dataset.step;
  steps();
  if (focused) $(`[data-step=${focused}]`).focus();
}

async function run(step) {
  done.add(step.name);
  current = step.name;
  restep();
  if (["reply", "learn"].includes(step.name)) {
    view("staff");
    desk.open(newest().id);
    if (step.name === "learn") { await desk.send(step.text); return; }
    desk.field.value = step.text;
    desk.grow();
    desk.field.focus();
    return;
  }
  view("candidate");
  phone.choose(asker(step).id);
  await phone.send(step.text);
}
