// Dialogs over a pane: the app's forms with their stack, and "are you sure?".

import { drawBlocks } from "./blocks.js";
import { h, icon, trapFocus } from "./dom.js";
import { withEmoji } from "./emoji.js";
import { drawText } from "./mrkdwn.js";
import { act } from "./store.js";

const KEYS = {
  static_select: "selected_option", radio_buttons: "selected_option", multi_static_select: "selected_options",
  checkboxes: "selected_options", users_select: "selected_user", multi_users_select: "selected_users",
  channels_select: "selected_channel", conversations_select: "selected_conversation", datepicker: "selected_date",
  timepicker: "selected_time", datetimepicker: "selected_date_time",
};

// What the server holds in an input, without its wrapping.
function plainValue(entry) {
  if (!entry) return undefined;
  const held = entry[KEYS[entry.type] ?? "value"];
  if (entry.type === "multi_static_select" || entry.type === "checkboxes") return (held ?? []).map((o) => o.value);
  return entry.type === "static_select" || entry.type === "radio_buttons" ? held?.value : held;
}

// A form or an App Home as a surface for blocks. What was typed is kept here until it is sent.
export function viewSurface(view, pane, drafts) {
  const valuesToSend = () => {
    const sent = {};
    for (const [key, value] of drafts) {
      const [block, action] = JSON.parse(key);
      if (view.state.values[block]?.[action]) (sent[block] ??= {})[action] = value;
    }
    return sent;
  };
  const keyOf = (block, element) => JSON.stringify([block.block_id, element.action_id]);
  return {
    reader: pane.user,
    valuesToSend,
    value: (block, element) => {
      const key = keyOf(block, element);
      return drafts.has(key) ? drafts.get(key) : plainValue(view.state.values[block.block_id]?.[element.action_id]);
    },
    error: (block) => view.errors[block.block_id],
    fieldId: (block) => `${pane.side}-${view.id}-${block.block_id}`,
    confirm: (dialog) => pane.confirm(dialog),
    type: (block, element, value) => drafts.set(keyOf(block, element), value),
    use: async (block, element, value, node) => {
      if (view.state.values[block.block_id]?.[element.action_id]) drafts.set(keyOf(block, element), value);
      if (block.type === "input" && !block.dispatch_action) return;
      node.classList.add("waiting");
      const args = { user: pane.user.id, view: view.id, block_id: block.block_id, action_id: element.action_id, value, values: valuesToSend() };
      await act("click_in_view", args);
      node.classList.remove("waiting");
    },
  };
}

// The form on top of this pane, if there is one.
export class FormDialog {
  constructor(pane) {
    this.pane = pane;
    this.host = h("div", { class: "veil", hidden: true });
    this.signature = "";
    this.drafts = new Map();
    this.returnTo = null;
    this.holdWhilePressed();
  }

  // A form that is drawn anew between pressing and letting go would lose the click: wait for the end of it.
  holdWhilePressed() {
    this.host.addEventListener("pointerdown", (event) => { this.pressed = Boolean(event.target.closest("button")); });
    const released = () => setTimeout(() => {
      if (!this.pressed) return;
      this.pressed = false;
      if (this.held) this.render(this.held);
    });
    window.addEventListener("pointerup", released);
    window.addEventListener("pointercancel", released);
    window.addEventListener("blur", released);
  }

  draftsOf(view) {
    if (!this.drafts.has(view.id)) this.drafts.set(view.id, new Map());
    return this.drafts.get(view.id);
  }

  render(views) {
    this.held = this.pressed ? views : null;
    if (this.held) return;
    const view = views.at(-1);
    const signature = view ? JSON.stringify([view.id, view.version, view.errors, view.notice, view.busy]) : "";
    if (signature === this.signature) return;
    this.signature = signature;
    if (!view) {
      this.leave();
      return;
    }
    if (this.host.hidden) this.returnTo = document.activeElement;
    const same = this.viewId === view.id;
    const focus = same ? this.remember() : null;
    const scrolled = same ? this.host.querySelector(".form-body")?.scrollTop : 0;
    this.viewId = view.id;
    this.host.replaceChildren(this.draw(view, views.length));
    this.host.hidden = false;
    this.host.querySelector(".form-body").scrollTop = scrolled ?? 0;
    this.focus(focus, Object.keys(view.errors).length > 0 && !view.busy);
  }

  leave() {
    this.host.hidden = true;
    this.host.replaceChildren();
    this.viewId = null;
    this.drafts.clear();
    if (this.returnTo?.isConnected) this.returnTo.focus();
  }

  // Which control has the focus, and where the cursor stands in it.
  remember() {
    const node = document.activeElement;
    if (!this.host.contains(node)) return { elsewhere: true };
    const { blockId, actionId, testid } = node.dataset;
    const caret = "selectionStart" in node ? [node.selectionStart, node.selectionEnd] : null;
    return { blockId, actionId, testid, caret };
  }

  focus(kept, hasErrors) {
    if (kept?.elsewhere) return;
    const dialog = this.host.querySelector("[role=dialog]");
    const controls = [...dialog.querySelectorAll(".form-body input,.form-body select,.form-body textarea,.form-body button,.form-body summary")];
    const same = kept && controls.find((n) => n.dataset.blockId === kept.blockId && n.dataset.actionId === kept.actionId);
    const wrong = hasErrors && dialog.querySelector(".wrong input,.wrong select,.wrong textarea,.wrong summary");
    const button = kept?.testid && dialog.querySelector(`[data-testid="${kept.testid}"]`);
    const target = wrong || same || button || controls.find((n) => n.matches("input,select,textarea")) || dialog;
    target.focus();
    if (same && target === same && kept.caret?.[0] !== null) {
      try { target.setSelectionRange?.(...kept.caret); } catch { /* this kind of input has no caret */ }
    }
  }

  // Forget a chosen entry that a new version of the form no longer offers.
  prune(view) {
    const drafts = this.draftsOf(view);
    const elements = view.blocks.flatMap((b) => [b.element, b.accessory, ...(b.elements ?? [])].filter(Boolean).map((e) => [b, e]));
    for (const [block, element] of elements) {
      const offered = (element.options ?? element.option_groups?.flatMap((g) => g.options))?.map((o) => o.value);
      const key = JSON.stringify([block.block_id, element.action_id]);
      const held = [drafts.get(key) ?? []].flat();
      if (offered && held.some((v) => !offered.includes(v))) drafts.delete(key);
    }
  }

  draw(view, depth) {
    this.prune(view);
    const surface = viewSurface(view, this.pane, this.draftsOf(view));
    const titleId = `${this.pane.side}-${view.id}-title`;
    const submit = () => { if (!view.busy) act("submit", { user: this.pane.user.id, view: view.id, values: surface.valuesToSend() }); };
    const close = (everything) => act("close", { user: this.pane.user.id, view: view.id, everything });
    const closeWord = view.close ? withEmoji(view.close.text) : depth > 1 ? "Back" : "Close";
    const dialog = h("div", { role: "dialog", "aria-modal": "true", "aria-labelledby": titleId, class: "form", tabindex: "-1", data: { testid: "modal", viewId: view.id, callbackId: view.callback_id } },
      h("div", { class: "form-head" },
        depth > 1 ? h("button", { type: "button", class: "quiet", "aria-label": "Back", onclick: () => close(false) }, icon("back")) : h("span", { class: "avatar colour-bot", "aria-hidden": "true" }, this.pane.appInitials()),
        h("h2", { id: titleId }, withEmoji(view.title.text)),
        h("button", { type: "button", class: "quiet", "aria-label": "Close", data: { testid: "modal-close" }, onclick: () => close(true) }, icon("close"))),
      h("form", { class: "form-body", novalidate: true, onsubmit: (e) => { e.preventDefault(); submit(); } },
        drawBlocks(view.blocks, surface), view.submit && h("button", { type: "submit", class: "unseen", tabindex: "-1", "aria-hidden": "true", disabled: view.busy })),
      view.notice && h("div", { class: "trouble", role: "alert", data: { testid: "modal-trouble" } }, icon("warning"), " ", view.notice),
      (view.submit || view.close) && h("div", { class: "form-foot" },
        h("button", { type: "button", class: "button", data: { testid: "modal-cancel" }, onclick: () => close(false) }, closeWord),
        view.submit && h("button", { type: "button", class: `button primary${view.busy ? " waiting" : ""}`, "aria-busy": view.busy ? "true" : null, data: { testid: "modal-submit" }, onclick: submit }, withEmoji(view.submit.text))));
    trapFocus(dialog, () => close(true));
    return dialog;
  }
}

// A confirm object as a dialog over the pane; resolves with yes or no.
export function askFirst(pane, confirm) {
  return new Promise((resolve) => {
    const before = document.activeElement;
    const done = (yes) => {
      veil.remove();
      if (before?.isConnected) before.focus();
      resolve(yes);
    };
    const id = `${pane.side}-confirm`;
    const no = h("button", { type: "button", class: "button", data: { testid: "confirm-no" }, onclick: () => done(false) }, withEmoji(confirm.deny.text));
    const yes = h("button", { type: "button", class: `button ${confirm.style ?? "primary"}`, data: { testid: "confirm-yes" }, onclick: () => done(true) }, withEmoji(confirm.confirm.text));
    const dialog = h("div", { role: "alertdialog", "aria-modal": "true", "aria-labelledby": id, "aria-describedby": `${id}-text`, class: "form small", data: { testid: "confirm" } },
      h("div", { class: "form-head" }, h("h2", { id }, withEmoji(confirm.title.text))),
      h("div", { class: "form-body", id: `${id}-text` }, drawText(confirm.text, pane.user)),
      h("div", { class: "form-foot" }, no, yes));
    const veil = h("div", { class: "veil over" }, dialog);
    trapFocus(dialog, () => done(false));
    pane.stage.append(veil);
    yes.focus();
  });
}
