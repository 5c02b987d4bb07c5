// Slack's own markup, drawn as nodes: mentions, dates in the reader's zone, links, code, quotes, bold, italic, strike.

import { dateToken } from "./dates.js";
import { h } from "./dom.js";
import { emojiFor, withEmoji } from "./emoji.js";
import { nameOf, store, userOf } from "./store.js";

const ENTITIES = { "&amp;": "&", "&lt;": "<", "&gt;": ">" };

export function unescape(text) {
  return text.replace(/&(?:amp|lt|gt);/g, (e) => ENTITIES[e]);
}

// A plain_text object: line breaks and emoji, nothing else.
export function drawPlain(text, emoji = true) {
  return h("span", { class: "plain" }, emoji ? withEmoji(unescape(text)) : unescape(text));
}

// A text object of either kind.
export function drawText(object, reader) {
  if (object.type === "plain_text") return drawPlain(object.text, object.emoji !== false);
  return drawMrkdwn(object.text, reader);
}

// A mrkdwn string for one reader (their time zone and who "you" are).
export function drawMrkdwn(text, reader) {
  const root = h("div", { class: "mrkdwn" });
  const parts = text.split("```");
  parts.forEach((part, i) => {
    const fenced = i % 2 === 1 && i < parts.length - 1;
    if (fenced) root.append(h("pre", { tabindex: "0" }, unescape(bareLinks(part.replace(/^\n|\n$/g, "")))));
    else drawLines(root, i % 2 === 1 ? `\`\`\`${part}` : part, reader);
  });
  return root;
}

// Inside code Slack shows the address or label of a link, not a link.
function bareLinks(text) {
  return text.replace(/<([^<>|]+)(?:\|([^<>]*))?>/g, (_, target, label) => label || target);
}

function drawLines(root, text, reader) {
  let quote = null;
  let rest = false;
  const lines = text.split("\n");
  lines.forEach((line, i) => {
    if (line.startsWith("&gt;&gt;&gt;")) rest = true;
    const quoted = rest || /^(&gt;|>)/.test(line);
    const body = line.replace(/^(&gt;){1,3} ?|^> ?/, "");
    if (quoted) {
      if (!quote) root.append((quote = h("blockquote")));
      else quote.append(h("br"));
      quote.append(...inline(body, reader));
      return;
    }
    quote = null;
    root.append(...inline(line, reader));
    const next = lines[i + 1];
    if (next !== undefined && !/^(&gt;|>)/.test(next)) root.append(h("br"));
  });
}

const TOKEN = /`([^`\n]+)`|<([^<>]+)>|:([a-z0-9_+-]+):|(?<![\w*])\*(?=\S)([^*\n]*[^\s*])\*(?![\w*])|(?<![\w_])_(?=\S)([^_\n]*[^\s_])_(?![\w_])|(?<![\w~])~(?=\S)([^~\n]*[^\s~])~(?![\w~])/g;

function inline(text, reader) {
  const nodes = [];
  let at = 0;
  for (const found of text.matchAll(TOKEN)) {
    if (found.index > at) nodes.push(unescape(text.slice(at, found.index)));
    at = found.index + found[0].length;
    nodes.push(token(found, reader));
  }
  if (at < text.length) nodes.push(unescape(text.slice(at)));
  return nodes;
}

function token([all, code, angle, emoji, bold, italic, strike], reader) {
  if (code !== undefined) return h("code", {}, unescape(bareLinks(code)));
  if (angle !== undefined) return drawAngle(angle, reader);
  if (emoji !== undefined) return emojiFor(emoji) ?? all;
  if (bold !== undefined) return h("strong", {}, inline(bold, reader));
  if (italic !== undefined) return h("em", {}, inline(italic, reader));
  return h("s", {}, inline(strike, reader));
}

// What stands between < and >: a person, a channel, a special word, a date, or a link.
function drawAngle(inner, reader) {
  const [target, label] = inner.split("|");
  if (target.startsWith("@")) return mention(target.slice(1), reader);
  if (target.startsWith("#")) return channel(target.slice(1), label);
  if (target.startsWith("!date^")) return dateToken(target, unescape(label ?? ""), reader?.tz);
  if (target.startsWith("!")) return h("span", { class: "mention all" }, `@${target.slice(1).split("^")[0]}`);
  return link(unescape(target), label === undefined ? unescape(target) : unescape(label));
}

export function mention(id, reader) {
  const mine = reader && reader.id === id;
  const user = userOf(id);
  return h("span", { class: mine ? "mention me" : "mention", title: user?.real_name ?? id }, `@${nameOf(id)}`);
}

function channel(id, label) {
  const known = [...store.screens.values()].flatMap((s) => s.conversations).find((c) => c.id === id);
  return h("span", { class: "mention" }, `#${known?.name ?? (label || "private-channel")}`);
}

// Only web and mail addresses become links; anything else stays text.
export function link(address, label) {
  if (!/^(https?:\/\/|mailto:|tel:)/i.test(address)) return label;
  return h("a", { href: address, target: "_blank", rel: "noopener noreferrer" }, label);
}
