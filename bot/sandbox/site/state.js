// What the page knows: chats and people as the server told them, and the words of the language chosen.

export const state = { chats: new Map(), people: new Map(), unread: new Map(), changed: new Set(), pressed: new Map() };
export let guide = {};
export let words = {};

export function use(chosen) {
  guide = chosen;
  words = chosen.words;
}
