// Where a person types: messages, slash commands with completion, mentions, and the app's shortcuts.

import { h, icon } from "./dom.js";
import { menu } from "./menu.js";
import { act, store } from "./store.js";

export class Composer {
  // `place` gives {channel, thread, label} at the moment of sending.
  constructor(pane, place, testid) {
    this.pane = pane;
    this.place = place;
    this.chosen = 0;
    this.found = [];
    this.listId = `${pane.side}-${testid}-list`;
    this.list = h("div", { class: "completion", role: "listbox", id: this.listId, "aria-label": "Suggestions", hidden: true });
    this.box = h("textarea", {
      rows: 1, class: "box", "aria-label": "Message", data: { testid }, "aria-autocomplete": "list",
      "aria-controls": this.listId, autocomplete: "off",
      oninput: () => this.typed(), onkeydown: (event) => this.key(event), onblur: () => setTimeout(() => this.show([]), 150),
    });
    this.send = h("button", { type: "button", class: "send", "aria-label": "Send", onclick: () => this.submit() }, icon("send"));
    this.root = h("div", { class: "composer" }, this.list,
      h("div", { class: "frame" }, this.box, h("div", { class: "bar" }, this.shortcuts(testid), h("span", { class: "grow" }), this.send)));
  }

  // The menu of the app's global shortcuts.
  shortcuts(testid) {
    if (testid !== "composer") return null;
    const items = () => store.directory.shortcuts.filter((s) => s.type === "global").map((s) => ({
      name: s.name, run: () => act("shortcut", { user: this.pane.user.id, callback_id: s.callback_id }),
    }));
    return menu({ mark: "bolt", words: "Shortcuts", testid: "shortcuts", items, up: true });
  }

  // Ready to type a command; what was being typed stays.
  slash() {
    this.box.focus();
    if (!this.box.value) this.box.value = "/";
    this.typed();
  }

  label(words) {
    this.box.placeholder = words;
    this.box.setAttribute("aria-label", words);
  }

  typed() {
    this.box.style.height = "auto";
    this.box.style.height = `${Math.min(this.box.scrollHeight, 160)}px`;
    this.send.classList.toggle("ready", Boolean(this.box.value.trim()));
    this.show(this.suggestions());
  }

  suggestions() {
    const before = this.box.value.slice(0, this.box.selectionStart);
    const command = before.match(/^\/(\S*)$/);
    if (command) {
      return store.directory.commands.filter((c) => c.command.startsWith(before))
        .map((c) => ({ insert: `${c.command} `, from: 0, title: c.command, hint: c.usage_hint, detail: c.description }));
    }
    const at = before.match(/(?:^|\s)@([\w.-]*)$/);
    if (!at) return [];
    const from = before.length - at[1].length - 1;
    const wanted = at[1].toLowerCase();
    return store.directory.users.filter((u) => !u.deleted && (u.name.includes(wanted) || u.shown_name.toLowerCase().includes(wanted))).slice(0, 8)
      .map((u) => ({ insert: `@${u.name} `, from, title: u.shown_name, hint: `@${u.name}`, detail: u.title }));
  }

  show(found) {
    this.found = found;
    this.chosen = Math.min(this.chosen, Math.max(found.length - 1, 0));
    this.list.hidden = !found.length;
    this.list.replaceChildren(...found.map((s, i) => h("div", {
      role: "option", id: `${this.listId}-${i}`, class: "suggestion", "aria-selected": String(i === this.chosen),
      onmousedown: (event) => { event.preventDefault(); this.take(i); },
    }, h("strong", {}, s.title), " ", h("span", { class: "usage" }, s.hint), h("div", { class: "detail" }, s.detail))));
    if (found.length) this.box.setAttribute("aria-activedescendant", `${this.listId}-${this.chosen}`);
    else this.box.removeAttribute("aria-activedescendant");
  }

  take(i) {
    const chosen = this.found[i];
    const after = this.box.value.slice(this.box.selectionStart);
    this.box.value = this.box.value.slice(0, chosen.from) + chosen.insert + after;
    const caret = chosen.from + chosen.insert.length;
    this.box.setSelectionRange(caret, caret);
    this.typed();
  }

  key(event) {
    const open = this.found.length > 0;
    if (open && (event.key === "ArrowDown" || event.key === "ArrowUp")) {
      event.preventDefault();
      this.chosen = (this.chosen + (event.key === "ArrowDown" ? 1 : -1) + this.found.length) % this.found.length;
      this.show(this.found);
    } else if (open && event.key === "Escape") {
      event.stopPropagation();
      this.show([]);
    } else if (open && (event.key === "Tab" || (event.key === "Enter" && this.completes()))) {
      event.preventDefault();
      this.take(this.chosen);
    } else if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
      event.preventDefault();
      this.submit();
    }
  }

  // Enter completes a half-typed word, and sends a whole command.
  completes() {
    const chosen = this.found[this.chosen];
    return chosen.from > 0 || this.box.value.trim() !== chosen.insert.trim();
  }

  async submit() {
    const text = this.box.value.trim();
    if (!text) return;
    this.box.value = "";
    this.show([]);
    this.typed();
    const { channel, thread } = this.place();
    const user = this.pane.user.id;
    const command = text.match(/^(\/\S+)\s*([\s\S]*)$/);
    const outcome = command
      ? await act("command", { user, command: command[1], text: command[2], channel, thread })
      : await act("say", { user, text, channel, thread });
    if (outcome.error && !outcome.kind) this.pane.say(outcome.error);
  }
}
