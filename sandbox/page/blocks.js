// Block Kit, drawn: one function per block, the elements inside by elements.js.

import { h, icon } from "./dom.js";
import { withEmoji } from "./emoji.js";
import { drawElement, drawImage } from "./elements.js";
import { drawMarkdown } from "./markdown.js";
import { drawPlain, drawText, link, mention } from "./mrkdwn.js";

export function drawBlocks(blocks, surface) {
  return blocks.map((block) => {
    const draw = KINDS[block.type];
    const node = draw ? draw(block, surface) : h("div", { class: "unknown" }, `[${block.type}]`);
    node.classList.add("block", `block-${block.type}`);
    node.dataset.blockId = block.block_id;
    return node;
  });
}

function section(block, surface) {
  const fields = block.fields && h("div", { class: "fields" }, block.fields.map((f) => h("div", {}, drawText(f, surface.reader))));
  const words = h("div", { class: "words" }, block.text && drawText(block.text, surface.reader), fields);
  const beside = block.accessory && h("div", { class: "accessory" }, drawElement(block, block.accessory, surface));
  return h("div", {}, words, beside);
}

function header(block) {
  return h("h3", {}, drawPlain(block.text.text, block.text.emoji !== false));
}

function context(block, surface) {
  return h("div", {}, block.elements.map((e) =>
    e.type === "image" ? drawImage(e.image_url, e.alt_text, "tiny") : h("span", { class: "part" }, drawText(e, surface.reader))));
}

function actions(block, surface) {
  return h("div", {}, block.elements.map((e) => drawElement(block, e, surface)));
}

// A label, its control, the hint, and what is wrong with it.
function input(block, surface) {
  const id = surface.fieldId(block);
  const wrong = surface.error?.(block);
  const grouped = ["checkboxes", "radio_buttons", "multi_static_select", "multi_users_select"].includes(block.element.type);
  const words = [withEmoji(block.label.text), block.optional && h("span", { class: "optional" }, " (optional)")];
  const label = grouped ? h("div", { class: "label" }, words) : h("label", { class: "label", for: id }, words);
  return h("div", { class: wrong ? "wrong" : "", data: { testid: "field" } },
    label,
    drawElement(block, block.element, surface),
    wrong && h("div", { class: "error", id: `${id}-error`, role: "alert", data: { testid: "field-error" } }, icon("warning"), " ", wrong),
    block.hint && h("div", { class: "hint", id: `${id}-hint` }, drawPlain(block.hint.text)));
}

function image(block) {
  const title = block.title && h("div", { class: "caption" }, drawPlain(block.title.text));
  return h("div", {}, title, drawImage(block.image_url, block.alt_text, "picture"));
}

const MARKS = { default: "info", info: "info", warning: "warning", error: "warning", success: "info" };

function alert(block, surface) {
  const level = block.level ?? "default";
  return h("div", { class: level, role: level === "error" ? "alert" : "note" }, icon(MARKS[level]), drawText(block.text, surface.reader));
}

function richText(block, surface) {
  return h("div", {}, block.elements.map((e) => richGroup(e, surface.reader)));
}

function richGroup(group, reader) {
  const inner = group.elements.map((e) => richLeaf(e, reader));
  if (group.type === "rich_text_preformatted") return h("pre", { tabindex: "0" }, inner);
  if (group.type === "rich_text_quote") return h("blockquote", {}, inner);
  if (group.type === "rich_text_list") {
    const items = group.elements.map((e) => h("li", {}, richGroup(e, reader)));
    return h(group.style === "ordered" ? "ol" : "ul", {}, items);
  }
  return h("div", { class: "plain" }, inner);
}

const STYLES = { code: "code", strike: "s", italic: "em", bold: "strong" };

function richLeaf(leaf, reader) {
  let node = leafNode(leaf, reader);
  for (const [style, tag] of Object.entries(STYLES)) if (leaf.style?.[style]) node = h(tag, {}, node);
  return node;
}

function leafNode(leaf, reader) {
  if (leaf.type === "user") return mention(leaf.user_id, reader);
  if (leaf.type === "link") return link(leaf.url, leaf.text ?? leaf.url);
  if (leaf.type === "emoji") return withEmoji(`:${leaf.name}:`);
  if (leaf.type === "broadcast") return h("span", { class: "mention all" }, `@${leaf.range}`);
  if (leaf.type === "channel") return h("span", { class: "mention" }, `#${leaf.channel_id}`);
  return h("span", {}, withEmoji(leaf.text ?? leaf.fallback ?? ""));
}

function table(block, surface) {
  const cell = (tag) => (c, column) => {
    const align = block.column_settings?.[column]?.align ?? "left";
    const inside = c.type === "rich_text" ? c.elements.map((e) => richGroup(e, surface.reader)) : c.text;
    return h(tag, { class: `align-${align}`, scope: tag === "th" ? "col" : null }, inside);
  };
  const [first, ...rest] = block.rows;
  const head = h("thead", {}, h("tr", {}, first.map(cell("th"))));
  const body = h("tbody", {}, rest.map((row) => h("tr", {}, row.map(cell("td")))));
  return h("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": "table" }, h("table", {}, head, body));
}

const KINDS = {
  section, header, context, actions, input, image, alert, table,
  context_actions: actions,
  rich_text: richText,
  markdown: (block) => drawMarkdown(block.text),
  divider: () => h("hr"),
};
