// One message as an element: text, file, quote, reactions, buttons, and what can be done with it.

import { act, el, fill, shortened } from "./dom.js";
import { link, rich } from "./rich.js";
import { state, words } from "./state.js";

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

export const said = (message) => message.text ?? message.caption
  ?? (message.photo ? words.photo : FILES.some((one) => message[one]) ? words.file : words.other);

export function service(message) {
  if (message.forum_topic_created) return words.topic_made;
  if (message.forum_topic_edited) return fill(words.topic_renamed, { name: message.forum_topic_edited.name ?? "" });
  if (message.forum_topic_closed) return words.topic_closed;
  if (message.forum_topic_reopened) return words.topic_reopened;
  return null;
}

const time = (seconds) => new Date(seconds * 1000).toLocaleTimeString(document.documentElement.lang, { hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
export const key = (chat, message) => `${chat}:${message}`;

function keyboard(pane, message) {
  const rows = message.reply_markup?.inline_keyboard;
  if (!rows) return null;
  return el("div", { className: "keys" }, ...rows.map((buttons, row) => el("div", { className: "row" },
    ...buttons.map((button, column) => (button.url ? link(button.url, button.text) : el("button", {
      type: "button", "data-place": `${row},${column}`, onclick: () => pane.press(message, button, row, column),
    }, button.text))))));
}

function actions(pane, message, mine) {
  const summary = el("summary", { "aria-label": words.more, "data-place": "more" }, "⋯");
  const choose = (work) => { summary.parentElement.open = false; summary.focus(); work(); };
  const button = (place, label, work, name) => el("button", {
    type: "button", "data-place": place, "aria-label": name ?? label, onclick: () => choose(work),
  }, label);
  const editable = mine && (message.text !== undefined || message.caption !== undefined);
  return el("details", { className: "more" }, summary,
    el("div", {},
      button("reply", words.reply, () => pane.answer(message)),
      ...["👍", "❤", "🎉"].map((emoji) => button(emoji, emoji, () => pane.react(message, emoji), fill(words.react, { emoji }))),
      editable ? button("edit", words.edit, () => pane.change(message)) : "",
      mine ? button("delete", words.delete, () => act({ action: "delete", user: pane.user, message: message.message_id })) : ""));
}

function quoted(pane, message) {
  const original = message.reply_to_message;
  if (!original || original.forum_topic_created) return null;
  return el("div", { className: "quote" }, el("strong", {}, original.from.first_name), " ", shortened(said(original)));
}

export function bubble(pane, message, reactions) {
  const note = service(message);
  if (note) return el("article", { className: "note" }, el("span", {}, note));
  const mine = message.from.id === pane.user;
  const text = message.text ?? message.caption;
  const command = message.from.is_bot ? (said) => pane.send(said) : null;
  const edited = message.edit_date && (!message.from.is_bot || state.changed.has(key(pane.chat, message.message_id)));
  return el("article", { className: mine ? "mine" : "", tabIndex: -1 }, el("div", { className: "box" },
    el("div", { className: "bubble" },
      el("span", { className: mine || pane.name === "candidate" ? "from hidden" : "from" }, message.from.first_name),
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
