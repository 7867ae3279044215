// A candidate's phone and the staff's group. The server says what happens (events); people's acts are posted to it.
// Texts of people become text nodes, never markup.

const $ = (selector, root = document) => root.querySelector(selector);
const state = { chats: new Map(), people: new Map(), unread: new Map(), changed: new Set(), pressed: new Map() };
let guide = {};
let words = {};

// --- building blocks -------------------------------------------------------------------------------------------

function el(tag, properties = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (name in node && !name.includes("-")) node[name] = value;
    else node.setAttribute(name, value);
  }
  node.append(...children.filter((child) => child !== null && child !== undefined && child !== ""));
  return node;
}

const fill = (text, values) => text.replace(/\{(\w+)\}/g, (_, name) => values[name] ?? "");
const shortened = (text, most = 90) => (text.length > most ? `${text.slice(0, most)} …` : text);

let noticed;
function notice(text, seconds = 6) {
  const box = $("#notice");
  clearTimeout(noticed);
  box.textContent = text;
  box.hidden = !text;
  if (seconds) noticed = setTimeout(() => { box.hidden = true; }, seconds * 1000);
}

async function post(path, body) {
  const answer = await fetch(path, { method: "POST", body }).catch(() => null);
  if (answer?.ok) return answer.json();
  notice(answer?.status === 413 ? words.too_large : words.failed);
  return null;
}
const act = (what) => post("act", JSON.stringify(what));

// Arrow keys, Home and End move between the tabs of a list; the chosen one alone is in the tab order.
function arrows(list) {
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

function tabs(list, panel, items, chosen, choose) {
  const focused = list.contains(document.activeElement) ? document.activeElement.dataset.key : null;
  list.replaceChildren(...items.map(({ key, label, detail, unread }) => el("button", {
    type: "button", role: "tab", "aria-selected": String(key === chosen), tabIndex: key === chosen ? 0 : -1,
    "aria-controls": panel.id, "data-key": key, onclick: () => choose(key),
  }, el("span", {}, label, detail ? el("small", {}, detail) : ""), count(unread))));
  if (focused) list.querySelector(`[data-key="${focused}"]`)?.focus();
}

const count = (number) => (number
  ? el("span", { className: "count", "aria-label": fill(words.new, { count: number }) }, String(number)) : null);

// --- formatted text --------------------------------------------------------------------------------------------

const TAGS = {
  bold: "strong", italic: "em", underline: "u", strikethrough: "s", code: "code", pre: "pre",
  blockquote: "blockquote", expandable_blockquote: "blockquote",
};

function link(href, ...children) {
  if (!/^(https?|mailto|tel|tg):/i.test(href)) return el("span", {}, ...children);
  return el("a", { href, target: "_blank", rel: "noopener noreferrer" }, ...children);
}

function formatted(entity, said) {
  if (entity.type === "text_link") return link(entity.url);
  if (entity.type === "url") return link(/^\w+:/.test(said) ? said : `https://${said}`);
  if (entity.type === "spoiler") return el("span", { className: "spoiler", tabIndex: 0 });
  return el(TAGS[entity.type] || "span");
}

// Offsets count UTF-16 units, as strings do here.
function rich(text, entities, command, at = 0, end = text.length) {
  const out = document.createDocumentFragment();
  let rest = [...entities].sort((a, b) => a.offset - b.offset || b.length - a.length);
  while (rest.length) {
    const [entity] = rest.splice(0, 1);
    const stop = Math.min(entity.offset + entity.length, end);
    if (entity.offset < at) continue;
    out.append(...plain(text.slice(at, entity.offset), command));
    const node = formatted(entity, text.slice(entity.offset, stop));
    const inside = rest.filter((one) => one.offset < stop);
    node.append(entity.type === "bot_command" && !inside.length
      ? plain(text.slice(entity.offset, stop), command)[0]
      : rich(text, inside, node.tagName === "A" ? null : command, entity.offset, stop));
    out.append(node);
    at = stop;
    rest = rest.filter((one) => one.offset >= stop);
  }
  out.append(...plain(text.slice(at, end), command));
  return out;
}

// Telegram makes commands and addresses in a bot's text into something to tap; so does the page.
function plain(text, command) {
  return text.split(/((?<![\w/])\/[a-z][a-z0-9_]{1,31}(?![\w/])|https?:\/\/[^\s<>"]+[^\s<>".,;:!?)])/).filter(Boolean).map((part) => {
    if (command && part.startsWith("/")) {
      return el("button", { type: "button", className: "command", onclick: () => command(part) }, part);
    }
    return command && /^https?:\/\//.test(part) ? link(part, part) : part;
  });
}

// --- messages --------------------------------------------------------------------------------------------------

const FILES = ["document", "video", "audio", "voice", "video_note", "animation", "sticker"];
const size = (bytes) => (bytes < 1024 * 1024 ? `${Math.ceil(bytes / 1024)} kB` : `${(bytes / 1048576).toFixed(1)} MB`);

function media(message) {
  if (message.photo) {
    const href = `files/${message.photo.at(-1).file_id}`;
    const picture = el("img", { src: href, alt: message.caption || words.photo });
    return el("a", { href, target: "_blank" }, picture);
  }
  const kind = FILES.find((one) => message[one]);
  if (kind) {
    const name = message[kind].file_name || words[kind] || words.file;
    return el("a", { href: `files/${message[kind].file_id}`, download: name, "aria-label": fill(words.download, { name }) },
      `${name} (${size(message[kind].file_size)})`);
  }
  if (message.location) return el("span", {}, `${words.location} ${message.location.latitude}, ${message.location.longitude}`);
  if (message.contact) return el("span", {}, `${words.contact} ${message.contact.first_name} ${message.contact.phone_number}`);
  return null;
}

const said = (message) => message.text ?? message.caption
  ?? (message.photo ? words.photo : FILES.some((one) => message[one]) ? words.file : words.other);

function service(message) {
  if (message.forum_topic_created) return words.topic_made;
  if (message.forum_topic_edited) return fill(words.topic_renamed, { name: message.forum_topic_edited.name ?? "" });
  if (message.forum_topic_closed) return words.topic_closed;
  if (message.forum_topic_reopened) return words.topic_reopened;
  return null;
}

const time = (seconds) => new Date(seconds * 1000).toLocaleTimeString(document.documentElement.lang, { hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
const key = (chat, message) => `${chat}:${message}`;

function keyboard(pane, message) {
  const rows = message.reply_markup?.inline_keyboard;
  if (!rows) return null;
  return el("div", { className: "keys" }, ...rows.map((buttons, row) => el("div", { className: "row" },
    ...buttons.map((button, column) => (button.url ? link(button.url, button.text) : el("button", {
      type: "button", "data-place": `${row},${column}`, onclick: () => pane.press(message, button, row, column),
    }, button.text))))));
}

function actions(pane, message, mine) {
  const button = (label, work, name) => el("button", { type: "button", onclick: work, "aria-label": name ?? label }, label);
  const editable = mine && (message.text !== undefined || message.caption !== undefined);
  return el("details", { className: "more" },
    el("summary", { "aria-label": words.more }, "⋯"),
    el("div", {},
      button(words.reply, () => pane.answer(message)),
      ...["👍", "❤", "🎉"].map((emoji) => button(emoji, () => pane.react(message, emoji), fill(words.react, { emoji }))),
      editable ? button(words.edit, () => pane.change(message)) : "",
      mine ? button(words.delete, () => act({ action: "delete", user: pane.user, message: message.message_id })) : ""));
}

function quoted(pane, message) {
  const original = message.reply_to_message;
  if (!original || original.forum_topic_created) return null;
  return el("div", { className: "quote" }, el("strong", {}, original.from.first_name), " ", shortened(said(original)));
}

function bubble(pane, message, reactions) {
  const note = service(message);
  if (note) return el("article", { className: "note" }, el("span", {}, note));
  const mine = message.from.id === pane.user;
  const text = message.text ?? message.caption;
  const command = message.from.is_bot ? (said) => pane.send(said) : null;
  const edited = message.edit_date && (!message.from.is_bot || state.changed.has(key(pane.chat, message.message_id)));
  return el("article", { className: mine ? "mine" : "", tabIndex: -1 }, el("div", { className: "box" },
    el("div", { className: "bubble" },
      el("span", { className: mine || pane === phone ? "from hidden" : "from" }, message.from.first_name),
      quoted(pane, message),
      media(message),
      text ? el("div", { className: "text" }, rich(text, message.entities ?? message.caption_entities ?? [], command)) : "",
      el("div", { className: "foot" },
        reactions?.length ? el("span", { className: "reactions" }, reactions.join(" ")) : "",
        edited ? el("span", {}, words.edited) : "",
        el("time", {}, time(message.date)),
        message.message_id ? actions(pane, message, mine) : "")),
    keyboard(pane, message)));
}

// --- the two panes ---------------------------------------------------------------------------------------------

class Pane {
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
    this.place_(nodes.length ? nodes : [this.empty()]);
    this.follow();
  }

  look() {
    requestAnimationFrame(() => { this.low = this.log.scrollHeight - this.log.scrollTop - this.log.clientHeight < 60; });
  }

  // The last message stays in sight, whatever changes its size, unless somebody has scrolled up to read.
  follow() {
    if (this.low) this.log.scrollTop = this.log.scrollHeight;
  }

  // A message that has not changed keeps its element, and with it the focus.
  node(message, reactions) {
    const sign = JSON.stringify([message, reactions, this.user, state.changed.has(key(this.chat, message.message_id))]);
    const place = key(this.chat, message.message_id);
    const before = this.shown.get(place);
    if (before?.sign === sign) return before.node;
    const node = bubble(this, message, reactions);
    if (before?.node.contains(document.activeElement)) {
      const at = document.activeElement.dataset.place;
      queueMicrotask(() => (at && $(`[data-place="${at}"]`, node) || node).focus());
    }
    this.shown.set(place, { sign, node });
    return node;
  }

  place_(nodes) {
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

const phone = new Phone($("#pane-candidate"), "candidate");
const desk = new Desk($("#pane-staff"), "staff");
const panes = [phone, desk];

// --- narrow screens: one pane at a time -------------------------------------------------------------------------

function view(name) {
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

// --- the guided steps ------------------------------------------------------------------------------------------

const speakers = () => state.candidates.filter((one) => one.language === document.documentElement.lang);
const asker = (step) => speakers()[step.name === "unknown" ? 1 : 0] ?? state.candidates[0];
const newest = () => desk.known.filter((topic) => !topic.closed).at(-1);
const done = new Set();
let current = null;

function steps() {
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

function restep() {
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

// --- language --------------------------------------------------------------------------------------------------

let guides = {};
function speak(language) {
  guide = guides[language];
  words = guide.words;
  document.documentElement.lang = language;
  document.title = words.title;
  for (const node of document.querySelectorAll("[data-t]")) node.textContent = words[node.dataset.t];
  for (const node of document.querySelectorAll("[data-label]")) node.setAttribute("aria-label", words[node.dataset.label]);
  $(".views").setAttribute("aria-label", words.title);
  for (const button of document.querySelectorAll("[data-language]")) {
    button.setAttribute("aria-pressed", String(button.dataset.language === language));
  }
  act({ action: "speak", language });
}

for (const button of document.querySelectorAll("[data-language]")) {
  button.addEventListener("click", () => {
    speak(button.dataset.language);
    if (!state.chats.get(phone.user).messages.size) phone.user = speakers()[0].id;
    for (const pane of panes) { pane.settle(); pane.menu(false); pane.renew(); }
    steps();
    view(document.body.dataset.view);
  });
}

// --- what happens ----------------------------------------------------------------------------------------------

function kept(chat) {
  return { ...chat, messages: new Map(chat.messages.map((message) => [message.message_id, message])) };
}

function begin(told) {
  const first = !state.bot;
  Object.assign(state, told, { chats: new Map(told.chats.map((chat) => [chat.id, kept(chat)])) });
  state.people = new Map([...told.candidates, ...told.staff].map((person) => [person.id, person]));
  if (first) {
    phone.user = speakers()[0].id;
    desk.user = told.staff[0].id;
    desk.thread = newest()?.id ?? 0;
  }
  for (const pane of panes) pane.renew();
  steps();
  view(document.body.dataset.view);
  document.body.dataset.ready = "true";
}

function arrived(told) {
  const chat = state.chats.get(told.chat);
  const message = told.message;
  const before = chat.messages.get(message.message_id);
  const edited = told.kind === "edited";
  if (edited && before && said(before) !== said(message)) state.changed.add(key(chat.id, message.message_id));
  chat.messages.set(message.message_id, message);
  chat.topics = told.topics;
  const pane = chat.id === state.group ? desk : phone;
  const place = pane === desk ? `topic${message.is_topic_message ? message.message_thread_id : 0}` : String(chat.id);
  if (message.forum_topic_created && !desk.field.value && !desk.root.contains(document.activeElement)) desk.open(message.message_id);
  if (message.from.is_bot && !service(message) && !edited) {
    if (place !== pane.place || narrowlyHidden(pane)) state.unread.set(place, (state.unread.get(place) ?? 0) + 1);
    const whose = pane === desk ? words.staff : state.people.get(chat.id).name;
    $("#heard").textContent = `${whose}: ${said(message)}`;
    if (place === pane.place) pane.still();
  }
  pane.render();
  restep();
  view(document.body.dataset.view);
}

const narrowlyHidden = (pane) => getComputedStyle(pane.root).display === "none";

const HAPPENS = {
  all: begin,
  message: arrived,
  edited: arrived,
  deleted: (told) => { state.chats.get(told.chat)?.messages.delete(told.message); refresh(); },
  chat: (told) => { state.chats.set(told.chat.id, kept(told.chat)); refresh(); },
  reaction: (told) => { state.chats.get(told.chat).reactions[told.message] = told.emoji; refresh(); },
  typing: (told) => { for (const pane of panes) if (pane.chat === told.chat) pane.typing(); },
  commands: (told) => { state.commands = told.commands; },
  answered: (told) => {
    if (told.text && state.pressed.has(told.query)) notice(told.text);
    state.pressed.set(told.query, told.text);
  },
  closing: () => { source.close(); notice(words.ended, 0); },
};
function refresh() { for (const pane of panes) pane.render(); restep(); }

let source;
async function open() {
  guides = await (await fetch("guide")).json();
  const wanted = navigator.languages.map((one) => one.slice(0, 2)).find((one) => one in guides) ?? "en";
  speak(wanted);
  source = new EventSource("events");
  source.onmessage = (event) => { const told = JSON.parse(event.data); HAPPENS[told.kind](told); };
  source.onopen = () => notice("");
  source.onerror = () => notice(words.lost, 0);
}

open();
