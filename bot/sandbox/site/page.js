// A candidate's phone and the staff's group. The server says what happens (events); people's acts are posted to it.

import { $, act, notice } from "./dom.js";
import { key, said, service } from "./messages.js";
import { desk, panes, phone, view } from "./sides.js";
import { state, use, words } from "./state.js";
import { newest, restep, speakers, steps } from "./tour.js";

// --- language --------------------------------------------------------------------------------------------------

let guides = {};
function speak(language) {
  use(guides[language]);
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
  commands: (told) => {
    state.commands = told.commands;
    for (const pane of panes) if (pane.list) pane.menu(true);
  },
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
