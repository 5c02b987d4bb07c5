// The list of messages: who said what and when, grouped as Slack groups it, with what can be pressed.

import { clock, dayKey, dayName, fullTime } from "./dates.js";
import { drawBlocks } from "./blocks.js";
import { h, icon, keyed } from "./dom.js";
import { menu } from "./menu.js";
import { drawMrkdwn } from "./mrkdwn.js";
import { act, nameOf, SLACKBOT, store, teamOf, userOf } from "./store.js";

const COLOURS = 8;

export function initials(name) {
  const words = name.split(/\s+/).filter(Boolean);
  return ((words[0]?.[0] ?? "?") + (words.length > 1 ? words.at(-1)[0] : "")).toUpperCase();
}

export function avatar(id, size = "") {
  const name = nameOf(id);
  const number = [...id].reduce((sum, c) => sum + c.codePointAt(0), 0) % COLOURS;
  const bot = id === store.directory.app.bot_user_id || id === SLACKBOT.id;
  return h("span", { class: `avatar colour-${bot ? "bot" : number} ${size}`, "aria-hidden": "true" }, initials(name));
}

// What a click in a message does, for one person.
function surfaceOf(message, pane) {
  const held = new Map();
  return {
    reader: pane.user,
    value: (block, element) => held.get(element.action_id) ?? initial(element),
    fieldId: (block) => `${pane.side}-${message.ts}-${block.block_id}`,
    confirm: (dialog) => pane.confirm(dialog),
    type: (_block, element, value) => held.set(element.action_id, value),
    use: async (block, element, value, node) => {
      held.set(element.action_id, value);
      node.classList.add("waiting");
      node.setAttribute("aria-busy", "true");
      const args = { user: pane.pressAs || pane.user.id, channel: message.channel, ts: message.ts, block_id: block.block_id, action_id: element.action_id, value };
      const outcome = await act("click", args);
      node.classList.remove("waiting");
      node.removeAttribute("aria-busy");
      if (outcome.error && !outcome.kind) pane.say(outcome.error);
    },
  };
}

function initial(element) {
  if (element.initial_option) return element.initial_option.value;
  if (element.initial_options) return element.initial_options.map((o) => o.value);
  return element.initial_user ?? element.initial_users ?? element.initial_date ?? element.initial_time ?? element.initial_date_time ?? element.initial_value;
}

function badge(user) {
  if (user.id === store.directory.app.bot_user_id || user.id === SLACKBOT.id) return h("span", { class: "badge" }, "APP");
  if (user.is_foreign) return h("span", { class: "badge away" }, teamOf(user.team_id)?.name ?? user.team_id);
  return (user.is_restricted || user.is_ultra_restricted) && h("span", { class: "badge guest" }, "Guest");
}

function body(message, pane) {
  const edited = message.edited && h("span", { class: "edited" }, " (edited)");
  if (!message.blocks.length || !message.bot_id) return h("div", { class: "said" }, drawMrkdwn(message.text, pane.user), edited);
  return h("div", { class: "said" }, drawBlocks(message.blocks, surfaceOf(message, pane)), edited);
}

// How the thread below a message is announced.
function replies(message, thread, pane) {
  if (!thread.length) return null;
  const people = [...new Set(thread.map((m) => m.user))].slice(0, 4);
  const count = `${thread.length} ${thread.length === 1 ? "reply" : "replies"}`;
  return h("button", { type: "button", class: "replies", data: { testid: "open-thread" }, onclick: () => pane.openThread(message.ts) },
    people.map((id) => avatar(id, "small")), h("span", { class: "count" }, count),
    h("span", { class: "last" }, `Last reply ${dayName(Number(thread.at(-1).ts), pane.user.tz).toLowerCase()} at ${clock(Number(thread.at(-1).ts), pane.user.tz)}`));
}

// The app's shortcuts for one message.
function shortcutMenu(message, pane) {
  const here = () => store.directory.shortcuts.filter((s) => s.type === "message");
  if (!here().length) return null;
  const items = () => here().map((s) => ({
    name: s.name, run: () => act("message_shortcut", { user: pane.user.id, callback_id: s.callback_id, channel: message.channel, ts: message.ts }),
  }));
  return menu({ mark: "more", words: "More actions", testid: "message-shortcuts", items });
}

function drawMessage({ message, first, thread, inThread }, pane) {
  const user = message.user === SLACKBOT.id ? SLACKBOT : (userOf(message.user) ?? { id: message.user, shown_name: message.user });
  const at = Number(message.ts);
  const time = h("time", { datetime: new Date(at * 1000).toISOString(), title: fullTime(at, pane.user.tz) }, clock(at, pane.user.tz));
  const gutter = first ? avatar(user.id) : h("span", { class: "gutter" }, clock(at, pane.user.tz).replace(/ [AP]M$/, ""));
  const head = first && h("div", { class: "head" }, h("span", { class: "name" }, user.shown_name), badge(user), time);
  const dismiss = message.ephemeral && h("button", { type: "button", class: "link", onclick: () => act("dismiss", { user: pane.user.id, channel: message.channel, ts: message.ts }) }, "Dismiss message");
  const answer = !inThread && !message.ephemeral && h("div", { class: "tools" },
    h("button", { type: "button", class: "quiet", "aria-label": "Reply in thread", title: "Reply in thread", onclick: () => pane.openThread(message.ts) }, icon("thread")),
    shortcutMenu(message, pane));
  return h("article", {
    class: `message${first ? " first" : ""}${message.ephemeral ? " ephemeral" : ""}`, "aria-label": `${user.shown_name}, ${clock(at, pane.user.tz)}`,
    data: { testid: "message", ts: message.ts, author: message.user },
  },
    message.ephemeral && h("div", { class: "only" }, icon("eye"), " Only visible to you"),
    message.broadcast && h("div", { class: "only" }, "replied to a thread"),
    h("div", { class: "side" }, gutter),
    h("div", { class: "main" }, head, body(message, pane),
      message.warning && h("div", { class: "lost", role: "alert", data: { testid: "lost-click" } }, icon("warning"), " This app is not responding. Please try again."),
      dismiss, !inThread && replies(message, thread, pane)),
    answer);
}

// In a thread: how many replies follow.
function countLine(row) {
  return h("div", { class: "after-parent" }, row.count);
}

function dayLine(row) {
  return h("div", { class: "day", role: "separator", "aria-label": row.day }, h("span", {}, row.day));
}

// Rows of a list: a line per day, and whether a message starts a new group (another person, or five minutes later).
function rows(messages, all, tz, inThread) {
  const found = [];
  let last = null;
  for (const message of messages) {
    const at = Number(message.ts);
    const newDay = !last || dayKey(at, tz) !== dayKey(Number(last.ts), tz);
    if (newDay && !inThread) found.push({ key: `day-${dayKey(at, tz)}`, day: dayName(at, tz) });
    const first = newDay || last.user !== message.user || at - Number(last.ts) > 300 || message.ephemeral || last.ephemeral || message.broadcast;
    const thread = inThread ? [] : all.filter((m) => m.thread_ts === message.ts && m.ts !== message.ts);
    found.push({ key: message.ts, message, first, thread, inThread });
    last = message;
    if (inThread && message === messages[0] && messages.length > 1) {
      found.push({ key: "count", count: `${messages.length - 1} ${messages.length === 2 ? "reply" : "replies"}` });
      last = null;
    }
  }
  return found;
}

// Draw a list of messages into a container, and keep its end in view while nobody has scrolled away from it. What is longer
// than the view shows from its beginning.
export function drawMessages(container, messages, all, pane, inThread = false) {
  const atEnd = container.scrollHeight - container.scrollTop - container.clientHeight < 60;
  const follows = atEnd || container.fresh || Math.abs(container.scrollTop - container.placed) < 2;
  const before = new Set([...container.children].map((n) => n.dataset.key));
  keyed(container, rows(messages, all, pane.user.tz, inThread), (r) => r.key, (r) => JSON.stringify([r, pane.user.id]),
    (row) => (row.day ? dayLine(row) : row.count ? countLine(row) : drawMessage(row, pane)));
  const nodes = [...container.children];
  const fresh = container.fresh ? nodes.at(-1) : nodes.find((n) => !before.has(n.dataset.key));
  if (fresh) container.newest = fresh.dataset.key;
  container.fresh = false;
  if (!follows) return;
  const shown = nodes.find((n) => n.dataset.key === container.newest);
  const top = shown ? shown.getBoundingClientRect().top - container.getBoundingClientRect().top + container.scrollTop - 6 : Infinity;
  container.scrollTop = Math.min(top, container.scrollHeight);
  container.placed = container.scrollTop;
}

export const topLevel = (messages) => messages.filter((m) => !m.thread_ts || m.thread_ts === m.ts || m.broadcast);
