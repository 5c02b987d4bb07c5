// Beside the panes: the script of a demo, faults to switch on, the pages that arrived, and what crossed the line.

import { filled, h, icon, keyed } from "./dom.js";
import { clock } from "./dates.js";
import { act, nameOf, setFault, store, userOf } from "./store.js";

export const TITLES = { script: "What to try", faults: "Faults", pages: "Pages", timeline: "Timeline" };

export class Panels {
  constructor(panes, changed) {
    Object.assign(this, { panes, changed });
    this.open = "";
    this.root = h("section", { class: "panel", hidden: true, "aria-label": "Tools" });
    this.head = h("div", { class: "place" });
    this.body = h("div", { class: "panel-body", tabindex: "0", role: "region", "aria-label": "Tool" });
    this.root.append(this.head, this.body);
  }

  toggle(name) {
    this.open = this.open === name ? "" : name;
    this.body.signature = null;
    this.body.replaceChildren();
    this.render();
    this.changed();
  }

  render() {
    this.root.hidden = !this.open;
    document.body.classList.toggle("with-panel", Boolean(this.open));
    if (!this.open) return;
    this.root.dataset.testid = `panel-${this.open}`;
    filled(this.head, this.open, () => [h("h2", {}, TITLES[this.open]), h("button", { type: "button", class: "quiet", "aria-label": "Close panel", onclick: () => this.toggle(this.open) }, icon("close"))]);
    if (this.open === "script") this.script();
    else if (this.open === "faults") this.faults();
    else if (this.open === "pages") this.pages();
    else this.timeline();
  }

  script() {
    filled(this.body, JSON.stringify(store.directory.script), () => h("ol", { class: "steps" }, store.directory.script.map((step, index) => {
      const box = h("input", { type: "checkbox", checked: step.done, onchange: () => act("step", { index, done: box.checked }) });
      const goThere = step.persona && h("button", { type: "button", class: "link", onclick: () => this.show(step) }, `Show ${nameOf(step.persona)}`);
      const beside = /^https?:/.test(step.link) && h("a", { class: "link", href: step.link, target: "_blank", rel: "noopener" }, "Open the page");
      return h("li", { class: step.done ? "done" : "", data: { testid: "step" } }, h("label", {}, box, h("span", {}, step.text)), step.detail && h("div", { class: "detail" }, step.detail), goThere, beside);
    })));
  }

  show(step) {
    const pane = this.panes.find((p) => p.userId === step.persona) ?? this.panes[0];
    if (step.at) pane.at = step.at;
    pane.become(step.persona);
  }

  faults() {
    filled(this.body, JSON.stringify([store.faults, store.directory.users]), () => {
      const button = (words, fault, args) => h("button", { type: "button", class: "button", onclick: () => setFault(fault, args) }, words);
      const check = (words, on, change) => h("label", { class: "choice" }, h("input", { type: "checkbox", checked: on, onchange: (e) => change(e.target.checked) }), h("span", {}, words));
      const person = (u) => h("tr", {}, h("th", { scope: "row" }, u.shown_name), ["dnd", "deleted"].map((flag) => h("td", {}, h("input", {
        type: "checkbox", checked: u[flag], "aria-label": `${u.shown_name}: ${flag === "dnd" ? "asleep" : "deactivated"}`, onchange: (e) => setFault("user", { user: u.id, [flag]: e.target.checked }),
      }))));
      return [
        h("p", {}, `Socket Mode connections: ${store.faults.sockets}`),
        h("div", { class: "rows" },
          button("Cut the sockets", "cut", { seconds: 0 }), button("Cut for 10 s", "cut", { seconds: 10 }), button("Ask to reconnect", "ask_to_leave"),
          button("Rate-limit the next 3 messages (5 s)", "rate_limit", { method: "chat.postMessage", calls: 3, retry_after: 5 }),
          button("Fail the next 3 messages (503)", "fail", { method: "chat.postMessage", calls: 3 }),
          button("Lose the next answer", "lose_answer", { method: "chat.postMessage" }),
          button("Every method 1 s slower", "slow", { method: "*", seconds: 1 })),
        check("Slack is cut off: no sockets, every method answers 503", store.faults.slack_off, (on) => setFault("slack_off", { on })),
        check("Pages are refused", store.faults.pager_off, (on) => setFault("pager_off", { on })),
        check("Deliver everything twice", store.faults.double_deliveries, (on) => setFault("double_deliveries", { on })),
        check("Somebody else holds a connection", store.faults.extra_connections > 0, (on) => setFault("extra_connections", { count: on ? 1 : 0 })),
        h("table", { class: "people" }, h("thead", {}, h("tr", {}, h("th", { scope: "col" }, "Person"), h("th", { scope: "col" }, "Asleep"), h("th", { scope: "col" }, "Deactivated"))), h("tbody", {}, store.directory.users.filter((u) => !u.is_bot).map(person))),
        h("div", { class: "rows" }, button("Everything works again", "clear")),
        h("pre", { tabindex: "0" }, JSON.stringify(store.faults, null, 1)),
      ];
    });
  }

  // What arrived beside Slack, newest first; an incident's events carry its key.
  pages() {
    const action = { trigger: "", acknowledge: "acknowledged", resolve: "resolved" };
    filled(this.body, JSON.stringify(store.paged), () => [
      store.paged.length ? null : h("p", {}, "No page has arrived. Somebody who is asleep, a step that pages, or a Slack that is cut off brings one."),
      h("ul", { class: "paged" }, [...store.paged].reverse().map((one) => h("li", { data: { testid: "paged" } },
        h("div", { class: "took" }, `${clock(one.at, (userOf(one.to) ?? store.directory.users[0])?.tz)} · ${nameOf(one.to)}${one.key ? ` · ${one.key}` : ""} ${action[one.action]}`),
        one.title && h("strong", {}, one.title), one.text && h("div", {}, one.text),
        one.link && h("div", {}, h("a", { href: one.link }, "The card in Slack"))))),
    ]);
  }

  timeline() {
    const arrow = { call: "→", delivery: "←", socket: "⇄", fault: "!", response_url: "→" };
    keyed(this.body, [...store.lines].reverse().slice(0, 150), (l) => l.number, (l) => JSON.stringify([l.number, l.seconds, l.ok, l.error]), (line) =>
      h("details", { class: `line ${line.ok ? "" : "bad"}` },
        h("summary", {}, h("span", { class: "arrow", "aria-hidden": "true" }, arrow[line.kind] ?? "·"), " ", h("strong", {}, line.name), " ", h("span", { class: "took" }, `${Math.round(line.seconds * 1000)} ms ${line.error}`)),
        h("pre", { tabindex: "0" }, JSON.stringify({ sent: line.sent, answer: line.answer, via: line.via || undefined }, null, 1))));
  }
}
