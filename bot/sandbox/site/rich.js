// Formatted text: Telegram's entities become elements.

import { el } from "./dom.js";

const TAGS = {
  bold: "strong", italic: "em", underline: "u", strikethrough: "s", code: "code", pre: "pre",
  blockquote: "blockquote", expandable_blockquote: "blockquote",
};

export function link(href, ...children) {
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
export function rich(text, entities, command, at = 0, end = text.length) {
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
