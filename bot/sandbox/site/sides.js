// The two sides: a candidate's phone, and the staff's group with its topics.

import { $, arrows, count, el, fill, tabs } from "./dom.js";
import { Pane } from "./pane.js";
import { state, words } from "./state.js";

class Phone extends Pane {
  get chat() { return this.user; }
  get place() { return String(this.user); }
  shows() { return true; }
  hint() { return words.write_candidate; }
  commands() { return state.commands[state.people.get(this.user).language] ?? []; }
  choose(user) { this.switching(() => { this.user = user; this.still(); }); }

  head() {
    const person = state.people.get(this.user);
    $(".who", this.root).textContent = state.bot.name;
    if (!$(".typing", this.root)) $(".state", this.root).textContent = words.bot;
    this.log.setAttribute("aria-label", fill(words.messages_with, { name: person.name }));
    $(".phone", this.root).setAttribute("aria-label", fill(words.phone, { name: person.name }));
    this.people.title = words.candidate_help;
    tabs(this.people, this.log, state.candidates.map((one) => ({
      key: String(one.id), label: one.name, detail: one.language, unread: state.unread.get(String(one.id)),
    })), String(this.user), (chosen) => this.choose(Number(chosen)));
  }

  empty() {
    return el("p", { className: "empty" }, el("span", {}, fill(words.start_hint, { name: state.people.get(this.user).name })),
      el("button", { type: "button", onclick: () => { this.field.focus(); this.send("/start"); } }, words.start));
  }
}

class Desk extends Pane {
  constructor(root, name) {
    super(root, name);
    this.topics = $(".topics", root);
    this.thread = 0;
    arrows(this.topics);
  }

  get chat() { return state.group; }
  get place() { return `topic${this.thread}`; }
  shows(message) { return (message.is_topic_message ? message.message_thread_id : 0) === this.thread; }
  hint() { return this.thread ? words.write_staff : words.write_general; }
  commands() { return state.commands.group; }
  open(thread) { this.switching(() => { this.thread = thread; }); }

  get known() { return state.chats.get(state.group).topics; }

  head() {
    const general = { id: 0, name: words.general };
    const now = this.known.find((topic) => topic.id === this.thread) ?? general;
    this.thread = now.id;
    $(".topic", this.root).textContent = now.name;
    this.log.setAttribute("aria-label", fill(words.messages_in, { name: now.name }));
    if (!$(".typing", this.root)) $(".state", this.root).textContent = state.staff.map((one) => one.name).join(", ");
    tabs(this.topics, this.log, [general, ...[...this.known].reverse()].map((topic) => ({
      key: String(topic.id), label: topic.name, unread: state.unread.get(`topic${topic.id}`),
    })), String(this.thread), (chosen) => this.open(Number(chosen)));
    tabs(this.people, this.log, state.staff.map((one) => ({ key: String(one.id), label: one.name })), String(this.user),
      (chosen) => { this.user = Number(chosen); this.render(); });
  }

  empty() { return el("p", { className: "empty" }, words.staff_hint); }
}

export const phone = new Phone($("#pane-candidate"), "candidate");
export const desk = new Desk($("#pane-staff"), "staff");
export const panes = [phone, desk];

// On narrow screens one side is shown at a time.
export function view(name) {
  document.body.dataset.view = name;
  for (const tab of document.querySelectorAll(".views [role=tab]")) {
    const unread = [...state.unread].filter(([place]) => place.startsWith("topic") === (tab.dataset.view === "staff"));
    tab.replaceChildren(words[tab.dataset.view] ?? "", count(unread.reduce((sum, [, number]) => sum + number, 0)) ?? "");
    tab.setAttribute("aria-selected", String(tab.dataset.view === name));
    tab.tabIndex = tab.dataset.view === name ? 0 : -1;
  }
}
for (const tab of document.querySelectorAll(".views [role=tab]")) {
  tab.dataset.key = tab.dataset.view;
  tab.addEventListener("click", () => view(tab.dataset.view));
}
arrows($(".views"));
