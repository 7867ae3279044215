// A chat with its composer: what the candidate's phone and the staff's group have in common.

import { $, act, arrows, el, fill, notice, post, shortened } from "./dom.js";
import { bubble, key, said } from "./messages.js";
import { state, words } from "./state.js";

export class Pane {
  constructor(root, name) {
    this.root = root;
    this.name = name;
    this.log = $(".log", root);
    this.people = $(".people", root);
    this.drafts = new Map();
    this.shown = new Map();
    this.low = true;
    for (const act of ["wheel", "touchmove", "keyup", "pointerup"]) this.log.addEventListener(act, () => this.look());
    this.log.addEventListener("load", () => this.follow(), true);
    new ResizeObserver(() => this.follow()).observe(this.log);
    this.compose();
    arrows(this.people);
  }

  compose() {
    this.field = el("textarea", { id: `write-${this.name}`, rows: 1, maxLength: 4096, enterKeyHint: "send" });
    this.file = el("input", { type: "file", className: "hidden", onchange: () => this.upload() });
    this.menuButton = el("button", { type: "button", "aria-expanded": "false", onclick: () => this.menu() });
    this.attach = el("label", { className: "attach" }, el("img", { src: "clip.svg", alt: "" }), this.file);
    this.sendButton = el("button", { type: "submit", className: "send" });
    this.form = $(".write", this.root);
    this.form.append(this.menuButton, this.attach, this.field, this.sendButton);
    this.form.addEventListener("submit", (event) => { event.preventDefault(); this.submit(); });
    this.field.addEventListener("input", () => this.grow());
    this.field.addEventListener("keydown", (event) => {
      if (event.key === "Enter" && !event.shiftKey && !event.isComposing) { event.preventDefault(); this.submit(); }
      if (event.key === "Escape") this.settle();
    });
    this.root.addEventListener("keydown", (event) => {
      if (event.key !== "Escape") return;
      this.menu(false);
      const open = event.target.closest("details[open]");
      if (open) { open.open = false; $("summary", open).focus(); }
    });
  }

  grow() {
    this.field.style.height = "";
    if (this.field.value) this.field.style.height = `${this.field.scrollHeight + 2}px`;
  }

  label() {
    this.menuButton.textContent = "/";
    this.menuButton.setAttribute("aria-label", words.menu);
    this.menuButton.title = words.menu;
    this.attach.title = words.attach;
    this.file.setAttribute("aria-label", words.attach);
    this.sendButton.textContent = words.send;
    this.field.placeholder = this.hint();
    this.field.setAttribute("aria-label", this.hint());
  }

  get where() { return { user: this.user, ...(this.thread ? { thread: this.thread } : {}) }; }

  async send(text) {
    await act({ action: "say", text, ...this.where, ...(this.reply ? { reply_to: this.reply.message_id } : {}) });
    this.settle();
  }

  async submit() {
    const text = this.field.value.trim();
    if (!text) return;
    this.field.value = "";
    this.grow();
    if (this.edit) {
      await act({ action: "edit", user: this.user, message: this.edit.message_id, text });
      this.settle();
    } else await this.send(text);
  }

  async upload() {
    const [file] = this.file.files;
    if (!file) return;
    if (!file.size) { notice(words.empty); this.file.value = ""; return; }
    const about = new URLSearchParams({ ...this.where, name: file.name, mime: file.type, caption: this.field.value.trim() });
    if (this.reply) about.set("reply_to", this.reply.message_id);
    if (await post(`files?${about}`, file)) { this.field.value = ""; this.grow(); this.settle(); }
    this.file.value = "";
  }

  async press(message, button, row, column) {
    if (button.copy_text) { await navigator.clipboard.writeText(button.copy_text.text); return notice(words.copied); }
    if (!button.callback_data) return notice(words.blocked_link);
    const query = await act({ action: "press", user: this.user, message: message.message_id, row, column });
    if (query && state.pressed.has(query.id)) notice(state.pressed.get(query.id));
    else if (query) state.pressed.set(query.id, "");
    return undefined;
  }

  react(message, emoji) {
    const place = key(this.user, key(this.chat, message.message_id));
    const now = state.pressed.get(place) === emoji ? null : emoji;
    state.pressed.set(place, now);
    act({ action: "react", user: this.user, message: message.message_id, emoji: now ? [now] : [] });
  }

  answer(message) {
    this.settle();
    this.reply = message;
    this.context(fill(words.replying, { text: shortened(said(message), 60) }));
  }

  change(message) {
    this.settle();
    this.edit = message;
    this.field.value = said(message);
    this.context(fill(words.editing, { text: shortened(said(message), 60) }));
    this.grow();
  }

  context(text) {
    this.note = el("p", { className: "context" }, el("span", {}, text),
      el("button", { type: "button", "aria-label": words.stop, onclick: () => { this.settle(); this.field.focus(); } }, "✕"));
    this.form.prepend(this.note);
    this.field.focus();
  }

  settle() {
    if (this.edit) { this.field.value = ""; this.grow(); }
    this.reply = this.edit = null;
    this.note?.remove();
  }

  menu(open = !this.list) {
    const had = this.list?.contains(document.activeElement);
    this.list?.remove();
    this.list = null;
    this.menuButton.setAttribute("aria-expanded", String(open));
    if (!open) { if (had) this.menuButton.focus(); return; }
    const choose = (command) => { this.menu(false); this.field.focus(); this.send(`/${command}`); };
    this.list = el("div", { className: "menu", role: "menu", "aria-label": words.commands }, ...this.commands().map((one) => el("button", {
      type: "button", role: "menuitem", onclick: () => choose(one.command),
    }, el("strong", {}, `/${one.command}`), el("span", {}, one.description))));
    this.list.addEventListener("keydown", (event) => {
      const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
      const items = [...this.list.children];
      if (!step) return;
      event.preventDefault();
      items.at((items.indexOf(document.activeElement) + step) % items.length).focus();
    });
    this.form.append(this.list);
    this.list.firstElementChild?.focus();
  }

  // What was begun to be written stays with whom it was meant for.
  switching(change) {
    this.drafts.set(this.place, this.field.value);
    this.settle();
    change();
    this.field.value = this.drafts.get(this.place) ?? "";
    this.grow();
    state.unread.delete(this.place);
    this.low = true;
    this.render();
  }

  renew() {
    this.shown.clear();
    this.log.replaceChildren();
    this.render();
  }

  render() {
    this.label();
    this.head();
    const chat = state.chats.get(this.chat);
    const visible = [...chat.messages.values()].filter((message) => this.shows(message));
    const nodes = visible.map((message) => this.node(message, chat.reactions[message.message_id]));
    this.put(nodes.length ? nodes : [this.empty()]);
    this.follow();
  }

  look() {
    requestAnimationFrame(() => { this.low = this.log.scrollHeight - this.log.scrollTop - this.log.clientHeight < 60; });
  }

  // The last message stays in sight, whatever changes its size, unless somebody has scrolled up to read.
  follow() {
    if (this.low) this.log.scrollTop = this.log.scrollHeight;
  }

  // A message that has not changed keeps its element. One that has keeps the focus, and what was opened in it.
  node(message, reactions) {
    const sign = JSON.stringify([message, reactions, this.user, state.changed.has(key(this.chat, message.message_id))]);
    const place = key(this.chat, message.message_id);
    const before = this.shown.get(place);
    if (before?.sign === sign) return before.node;
    const node = bubble(this, message, reactions);
    if (before && $("details[open]", before.node)) $("details", node).open = true;
    if (before?.node.contains(document.activeElement)) {
      const at = document.activeElement.dataset.place;
      queueMicrotask(() => (at && $(`[data-place="${at}"]`, node) || node).focus());
    }
    this.shown.set(place, { sign, node });
    return node;
  }

  put(nodes) {
    for (const child of [...this.log.children]) if (!nodes.includes(child)) child.remove();
    nodes.forEach((node, at) => { if (this.log.children[at] !== node) this.log.insertBefore(node, this.log.children[at] ?? null); });
  }

  typing() {
    const box = $(".state", this.root);
    box.classList.add("typing");
    box.textContent = words.typing;
    clearTimeout(this.clock);
    this.clock = setTimeout(() => this.still(), 5000);
  }

  still() {
    clearTimeout(this.clock);
    $(".state", this.root).classList.remove("typing");
    this.head();
  }
}
