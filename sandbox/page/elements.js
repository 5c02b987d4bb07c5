// Buttons, menus, pickers and inputs. A surface (message, form, Home) says what happens when one is used.

import { localInput } from "./dates.js";
import { h, icon } from "./dom.js";
import { withEmoji } from "./emoji.js";
import { drawText, unescape } from "./mrkdwn.js";
import { store } from "./store.js";

// The key of an input inside its surface.
export const keyOf = (block, element) => `${block.block_id}/${element.action_id}`;

const said = (object) => (object ? withEmoji(unescape(object.text)) : "");

// surface: {reader, value(block, element), use(block, element, value, node), type(block, element, value), fieldId(block)}
export function drawElement(block, element, surface) {
  const draw = KINDS[element.type];
  if (!draw) return h("span", { class: "unknown" }, `[${element.type}]`);
  const node = draw(block, element, surface);
  const marked = node.matches("button,input,select,textarea") ? node : (node.querySelector("button,input,select,textarea") ?? node);
  marked.dataset.actionId = element.action_id;
  marked.dataset.blockId = block.block_id;
  return node;
}

// Ask first if the element says so, then do it.
async function confirmed(element, surface, then) {
  if (!element.confirm || (await surface.confirm(element.confirm))) then();
}

function button(block, element, surface) {
  const style = element.style ? ` ${element.style}` : "";
  const node = h("button", {
    type: "button", class: `button${style}`, "aria-label": element.accessibility_label,
    onclick: () => confirmed(element, surface, () => {
      if (element.url && /^https?:/.test(element.url)) window.open(element.url, "_blank", "noopener");
      surface.use(block, element, null, node);
    }),
  }, said(element.text));
  return node;
}

function iconButton(block, element, surface) {
  const node = h("button", {
    type: "button", class: "quiet", "aria-label": element.accessibility_label || said(element.text), title: said(element.text),
    onclick: () => confirmed(element, surface, () => surface.use(block, element, null, node)),
  }, icon(element.icon));
  return node;
}

function feedback(block, element, surface) {
  const one = (object) => h("button", {
    type: "button", class: "quiet", onclick: (e) => surface.use(block, element, object.value, e.currentTarget),
  }, said(object.text));
  return h("span", { class: "feedback" }, one(element.positive_button), one(element.negative_button));
}

// What a control that is not inside a labelled input block is called.
const nameFor = (block, element) => said(element.placeholder) || said(block.text) || element.action_id;

function labelled(block, element, surface) {
  const id = surface.fieldId(block);
  const wrong = surface.error?.(block);
  if (block.type !== "input") return { "aria-label": nameFor(block, element) };
  const described = [wrong && `${id}-error`, block.hint && `${id}-hint`].filter(Boolean).join(" ");
  return {
    id, "aria-invalid": wrong ? "true" : null, "aria-describedby": described || null,
    "aria-required": block.optional ? null : "true",
  };
}

function menu(block, element, surface, groups) {
  const held = surface.value(block, element) ?? "";
  const select = h("select", {
    class: "select", ...labelled(block, element, surface),
    onchange: () => confirmed(element, surface, () => surface.use(block, element, select.value || null, select)),
  }, h("option", { value: "" }, said(element.placeholder) || "Select an item"));
  for (const group of groups) {
    const options = group.options.map((o) => h("option", { value: o.value, selected: o.value === held }, o.text));
    select.append(...(group.label ? [h("optgroup", { label: group.label }, options)] : options));
  }
  return select;
}

const plainOptions = (options) => options.map((o) => ({ value: o.value, text: said(o.text) }));

function groupsOf(element) {
  if (element.option_groups) return element.option_groups.map((g) => ({ label: said(g.label), options: plainOptions(g.options) }));
  return [{ options: plainOptions(element.options ?? []) }];
}

function people(reader) {
  const byTeam = store.directory.teams.map((team) => ({
    label: team.name,
    options: store.directory.users
      .filter((u) => u.team_id === team.id && !u.deleted && (!u.is_bot || u.team_id === reader.team_id))
      .map((u) => ({ value: u.id, text: u.shown_name })),
  }));
  return byTeam.filter((g) => g.options.length);
}

function channels(reader) {
  const known = store.screens.get(reader.id)?.conversations ?? [];
  return [{ options: known.filter((c) => !c.is_im).map((c) => ({ value: c.id, text: `#${c.name}` })) }];
}

// A menu of which several entries may be chosen: a disclosure with a list of checkboxes.
function multi(block, element, surface, groups) {
  const held = new Set(surface.value(block, element) ?? []);
  const texts = new Map(groups.flatMap((g) => g.options).map((o) => [o.value, o.text]));
  const summary = h("summary", { class: "select", ...labelled(block, element, surface), "aria-required": null, "aria-invalid": null });
  const show = () => summary.replaceChildren([...held].map((v) => texts.get(v) ?? v).join(", ") || said(element.placeholder) || "Select items");
  const list = h("div", { class: "options", role: "group", "aria-label": nameFor(block, element) });
  for (const group of groups) {
    if (group.label) list.append(h("div", { class: "group" }, group.label));
    for (const option of group.options) {
      const box = h("input", {
        type: "checkbox", checked: held.has(option.value),
        onchange: () => {
          if (box.checked) held.add(option.value);
          else held.delete(option.value);
          show();
          surface.use(block, element, [...held], box);
        },
      });
      list.append(h("label", { class: "choice" }, box, h("span", {}, option.text)));
    }
  }
  show();
  return h("details", { class: "multi" }, summary, list);
}

function marks(type) {
  return (block, element, surface) => {
    const held = [surface.value(block, element) ?? []].flat();
    const name = `${surface.fieldId(block)}-${element.action_id}`;
    const boxes = [];
    const changed = (box) => {
      const chosen = boxes.filter((b) => b.checked).map((b) => b.value);
      surface.use(block, element, type === "radio" ? (chosen[0] ?? null) : chosen, box);
    };
    const rows = element.options.map((option) => {
      const box = h("input", { type, name, value: option.value, checked: held.includes(option.value), onchange: () => changed(box) });
      box.dataset.blockId = block.block_id;
      boxes.push(box);
      const detail = option.description && h("span", { class: "detail" }, drawText(option.description, surface.reader));
      return h("label", { class: "choice" }, box, h("span", {}, drawText(option.text, surface.reader), detail));
    });
    const legend = block.type === "input" ? said(block.label) : nameFor(block, element);
    return h("div", { class: "marks", role: type === "radio" ? "radiogroup" : "group", "aria-label": legend }, rows);
  };
}

// Inputs whose value is one string. Inside an input block they only remember it; elsewhere the app hears of it.
function typed(type, props = () => ({})) {
  return (block, element, surface) => {
    const node = h(element.multiline ? "textarea" : "input", {
      type: element.multiline ? null : type, class: "text", placeholder: said(element.placeholder) || null,
      ...labelled(block, element, surface), ...props(element), value: surface.value(block, element) ?? "",
      rows: element.multiline ? 4 : null,
      oninput: () => surface.type(block, element, node.value),
    });
    dispatching(block, element, surface, node);
    return node;
  };
}

function dispatching(block, element, surface, node) {
  if (!block.dispatch_action) return;
  const on = element.dispatch_action_config?.trigger_actions_on ?? ["on_enter_pressed"];
  if (on.includes("on_character_entered")) {
    let timer = 0;
    node.addEventListener("input", () => {
      clearTimeout(timer);
      timer = setTimeout(() => surface.use(block, element, node.value, node), 350);
    });
  }
  node.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && !element.multiline) {
      event.preventDefault();
      surface.use(block, element, node.value, node);
    }
  });
}

function picker(type, shown = (v) => v) {
  return (block, element, surface) => {
    const held = surface.value(block, element);
    const node = h("input", {
      type, class: "text picker", ...labelled(block, element, surface), value: held ? shown(held, surface.reader.tz) : "",
      onchange: () => confirmed(element, surface, () => surface.use(block, element, node.value || null, node)),
    });
    return node;
  };
}

// "⋯" with a small menu below it.
function overflow(block, element, surface) {
  const list = h("div", { class: "popup", role: "menu", hidden: true });
  const opener = h("button", {
    type: "button", class: "button square", "aria-label": "More actions", "aria-haspopup": "menu", "aria-expanded": "false",
    onclick: () => show(list.hidden),
  }, icon("more"));
  const show = (open) => {
    list.hidden = !open;
    opener.setAttribute("aria-expanded", String(open));
    if (open) list.querySelector("button").focus();
  };
  for (const option of element.options) {
    list.append(h("button", {
      type: "button", role: "menuitem", onclick: () => {
        show(false);
        opener.focus();
        confirmed(element, surface, () => surface.use(block, element, option.value, opener));
      },
    }, said(option.text)));
  }
  const root = h("span", { class: "overflow" }, opener, list);
  root.addEventListener("keydown", (event) => menuKeys(event, list, () => { show(false); opener.focus(); }));
  root.addEventListener("focusout", (event) => { if (!root.contains(event.relatedTarget)) show(false); });
  return root;
}

// Arrow keys and Escape in a popup menu.
export function menuKeys(event, list, leave) {
  const items = [...list.querySelectorAll("button")];
  const at = items.indexOf(document.activeElement);
  if (event.key === "Escape" && !list.hidden) {
    event.stopPropagation();
    leave();
  } else if (event.key === "ArrowDown" || event.key === "ArrowUp") {
    event.preventDefault();
    const step = event.key === "ArrowDown" ? 1 : -1;
    items[(at + step + items.length) % items.length]?.focus();
  }
}

function image(_block, element) {
  return drawImage(element.image_url, element.alt_text, "thumb");
}

export function drawImage(address, alt, shape) {
  if (!/^(https:|data:image\/)/.test(address ?? "")) return h("span", { class: `${shape} blank`, role: "img", "aria-label": alt });
  return h("img", { class: shape, src: address, alt });
}

const KINDS = {
  button, overflow, image,
  icon_button: iconButton,
  feedback_buttons: feedback,
  static_select: (b, e, s) => menu(b, e, s, groupsOf(e)),
  users_select: (b, e, s) => menu(b, e, s, people(s.reader)),
  channels_select: (b, e, s) => menu(b, e, s, channels(s.reader)),
  conversations_select: (b, e, s) => menu(b, e, s, channels(s.reader)),
  multi_static_select: (b, e, s) => multi(b, e, s, groupsOf(e)),
  multi_users_select: (b, e, s) => multi(b, e, s, people(s.reader)),
  checkboxes: marks("checkbox"),
  radio_buttons: marks("radio"),
  plain_text_input: typed("text"),
  number_input: typed("text", (e) => ({ inputmode: e.is_decimal_allowed ? "decimal" : "numeric" })),
  email_text_input: typed("email"),
  url_text_input: typed("url"),
  datepicker: picker("date"),
  timepicker: picker("time"),
  datetimepicker: picker("datetime-local", localInput),
};
