// The `markdown` block: ordinary Markdown, drawn as nodes. Headings, lists, quotes, code, tables, rules, emphasis, links.

import { h } from "./dom.js";
import { emojiFor } from "./emoji.js";
import { link } from "./mrkdwn.js";

export function drawMarkdown(text) {
  const root = h("div", { class: "markdown" });
  blocks(text.replace(/\r\n?/g, "\n").split("\n"), root);
  return root;
}

const FENCE = /^\s*(```|~~~)/;
const HEADING = /^(#{1,6})\s+(.*?)\s*#*$/;
const ITEM = /^(\s*)([-*+]|\d{1,9}[.)])\s+(.*)$/;
const RULE = /^\s*([-*_])(\s*\1){2,}\s*$/;
const ROW = /^\s*\|?.*\|.*$/;
const DIVIDER = /^\s*\|?\s*:?-+:?\s*(\|\s*:?-+:?\s*)*\|?\s*$/;

function blocks(lines, root) {
  let i = 0;
  while (i < lines.length) {
    const line = lines[i];
    if (!line.trim()) i += 1;
    else if (FENCE.test(line)) i = fence(lines, i, root);
    else if (HEADING.test(line)) i = heading(line, i, root);
    else if (RULE.test(line)) i = rule(i, root);
    else if (/^\s*>/.test(line)) i = quote(lines, i, root);
    else if (ITEM.test(line)) i = list(lines, i, root);
    else if (ROW.test(line) && DIVIDER.test(lines[i + 1] ?? "")) i = table(lines, i, root);
    else i = paragraph(lines, i, root);
  }
}

function fence(lines, start, root) {
  let end = start + 1;
  while (end < lines.length && !FENCE.test(lines[end])) end += 1;
  root.append(h("pre", { tabindex: "0" }, lines.slice(start + 1, end).join("\n")));
  return end + 1;
}

// Headings inside a message start below the page's own.
function heading(line, i, root) {
  const [, marks, words] = line.match(HEADING);
  root.append(h("p", { class: `heading heading-${marks.length}`, role: "heading", "aria-level": Math.max(3, marks.length + 1) }, spans(words)));
  return i + 1;
}

function rule(i, root) {
  root.append(h("hr"));
  return i + 1;
}

function quote(lines, start, root) {
  let end = start;
  while (end < lines.length && /^\s*>/.test(lines[end])) end += 1;
  const inner = h("blockquote");
  blocks(lines.slice(start, end).map((l) => l.replace(/^\s*> ?/, "")), inner);
  root.append(inner);
  return end;
}

// A list, with what is indented below an item inside that item.
function list(lines, start, root) {
  const [, indent, mark] = lines[start].match(ITEM);
  const ordered = /\d/.test(mark);
  const node = h(ordered ? "ol" : "ul", ordered ? { start: parseInt(mark, 10) } : {});
  let i = start;
  while (i < lines.length) {
    const found = lines[i].match(ITEM);
    if (!found || found[1].length !== indent.length || /\d/.test(found[2]) !== ordered) break;
    i = item(lines, i, found, node);
    while (i < lines.length && !lines[i].trim() && ITEM.test(lines[i + 1] ?? "")) i += 1;
  }
  root.append(node);
  return i;
}

function item(lines, i, found, node) {
  const depth = found[1].length;
  const inner = [];
  let next = i + 1;
  while (next < lines.length) {
    const line = lines[next];
    const spaces = line.match(/^\s*/)[0].length;
    if (line.trim() ? spaces <= depth : !/^\s{2,}\S/.test(lines[next + 1] ?? "")) break;
    inner.push(line);
    next += 1;
  }
  const task = found[3].match(/^\[([ xX])\]\s+(.*)$/);
  const mark = task && h("span", { class: "task", "aria-label": task[1] === " " ? "to do" : "done", role: "img" }, task[1] === " " ? "☐" : "☑");
  const li = h("li", {}, mark, task && " ", spans(task ? task[2] : found[3]));
  if (inner.length) {
    const shift = Math.min(...inner.filter((l) => l.trim()).map((l) => l.match(/^\s*/)[0].length));
    blocks(inner.map((l) => l.slice(shift)), li);
  }
  node.append(li);
  return next;
}

const cells = (line) => line.trim().replace(/^\||\|$/g, "").split(/(?<!\\)\|/).map((c) => c.trim());

function table(lines, start, root) {
  const head = h("thead", {}, h("tr", {}, cells(lines[start]).map((c) => h("th", { scope: "col" }, spans(c)))));
  const body = h("tbody");
  let i = start + 2;
  for (; i < lines.length && lines[i].trim() && ROW.test(lines[i]); i += 1) {
    body.append(h("tr", {}, cells(lines[i]).map((c) => h("td", {}, spans(c)))));
  }
  root.append(h("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": "table" }, h("table", {}, head, body)));
  return i;
}

function paragraph(lines, start, root) {
  let end = start + 1;
  while (end < lines.length && lines[end].trim() && !FENCE.test(lines[end]) && !HEADING.test(lines[end]) && !ITEM.test(lines[end]) && !/^\s*>/.test(lines[end])) end += 1;
  const node = h("p");
  lines.slice(start, end).forEach((line, n) => {
    if (n) node.append(h("br"));
    node.append(...spans(line.trim()));
  });
  root.append(node);
  return end;
}

const SPAN = /`([^`]+)`|\[([^\]]+)\]\(([^\s)]+)\)|<(https?:\/\/[^>\s]+)>|(https?:\/\/[^\s<>()]+[^\s<>().,;:!?])|\*\*(\S(?:.*?\S)?)\*\*|__(\S(?:.*?\S)?)__|~~(.+?)~~|(?<![\w*])\*(\S(?:[^*]*\S)?)\*(?!\w)|(?<!\w)_(\S(?:[^_]*\S)?)_(?!\w)|:([a-z0-9_+-]+):|\\([\\`*_{}[\]()#+\-.!|~>])/g;

function spans(text) {
  const nodes = [];
  let at = 0;
  for (const found of text.matchAll(SPAN)) {
    if (found.index > at) nodes.push(text.slice(at, found.index));
    at = found.index + found[0].length;
    nodes.push(span(found));
  }
  if (at < text.length) nodes.push(text.slice(at));
  return nodes;
}

function span([all, code, label, target, auto, bare, bold, bolder, strike, italic, italics, emoji, literal]) {
  if (code !== undefined) return h("code", {}, code);
  if (label !== undefined) return link(target, label);
  if (auto ?? bare) return link(auto ?? bare, auto ?? bare);
  if (bold ?? bolder) return h("strong", {}, spans(bold ?? bolder));
  if (strike) return h("s", {}, spans(strike));
  if (italic ?? italics) return h("em", {}, spans(italic ?? italics));
  return emoji !== undefined ? (emojiFor(emoji) ?? all) : literal;
}
