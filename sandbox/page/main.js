// The page: two panes side by side, each played by one person, and the tools beside them.

import { h } from "./dom.js";
import { Pane } from "./pane.js";
import { Panels, TITLES } from "./panels.js";
import { listen, onChange, refresh, store, watch } from "./store.js";

const address = new URLSearchParams(location.search);
// What the address asks for; a bare one begins as the configuration says.
const asked = { get: (name) => address.get(name) ?? ([...address].length ? null : store.directory.start[name] ?? null) };
const panes = [];
let panels = null;

// Who stands in a pane at the start: as the address says, else the first people of the configuration.
function firstPersons() {
  const people = store.directory.users.filter((u) => !u.is_bot && !u.deleted).map((u) => u.id);
  const known = (id) => (store.directory.users.some((u) => u.id === id && !u.is_bot) ? id : null);
  return [known(asked.get("left")) ?? people[0], known(asked.get("right")) ?? people[1] ?? people[0]];
}

function rememberInAddress() {
  const [left, right] = panes;
  const kept = new URLSearchParams({ left: left.userId, right: right.userId, leftAt: left.at, rightAt: right.at });
  if (document.body.classList.contains("single")) kept.set("view", "single");
  if (panels?.open) kept.set("panel", panels.open);
  history.replaceState(null, "", `?${kept}`);
}

function changed() {
  rememberInAddress();
  refresh().catch(() => {});
}

function drawTop() {
  const tool = (name, words) => h("button", { type: "button", class: "tool", data: { testid: `tool-${name}` }, onclick: () => panels.toggle(name) }, words);
  const single = (event) => {
    const one = document.body.classList.toggle("single");
    event.currentTarget.setAttribute("aria-pressed", String(!one));
    rememberInAddress();
  };
  const side = (name) => h("button", { type: "button", class: "tool side", onclick: () => showSide(name) }, name === "left" ? "1" : "2");
  document.getElementById("top").replaceChildren(
    h("span", { class: "banner", data: { testid: "banner" } }, store.directory.banner || "Sandbox"),
    h("span", { class: "state", role: "status", id: "state" }),
    side("left"), side("right"),
    h("button", { type: "button", class: "tool split", "aria-pressed": String(!document.body.classList.contains("single")), onclick: single }, "Split view"),
    ...(store.directory.script.length ? [tool("script", TITLES.script)] : []), tool("faults", TITLES.faults), tool("pages", TITLES.pages), tool("timeline", TITLES.timeline));
  document.querySelectorAll(".tool.side").forEach((b, i) => b.setAttribute("aria-label", `${i + 1}: show the ${i ? "right" : "left"} person`));
}

// As in Slack: a slash that is typed nowhere starts a command.
function slashKey(event) {
  const free = event.target === document.body || event.target.closest?.(".messages, .pane") && !event.target.closest("input, textarea, select, [contenteditable]");
  if (event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey || !free || document.querySelector("dialog[open]")) return;
  const composer = panes.find((pane) => pane.root.contains(document.activeElement))?.composer ?? panes[document.body.dataset.shown === "right" ? 1 : 0].composer;
  event.preventDefault();
  composer.slash();
}

// On a phone one pane is shown at a time.
function showSide(side) {
  document.body.dataset.shown = side;
}

function render() {
  for (const pane of panes) pane.render();
  panels.render();
  document.querySelector("[data-testid=tool-pages]").textContent = store.paged.length ? `${TITLES.pages} ${store.paged.length}` : TITLES.pages;
  const state = document.getElementById("state");
  state.textContent = store.connected === false ? "Reconnecting…" : store.faults?.sockets || store.lines.length ? "" : "No app has connected yet";
}

async function start() {
  watch(() => panes.map((p) => p.userId));
  await refresh();
  const [left, right] = firstPersons();
  panes.push(new Pane("left", left, asked.get("leftAt"), changed), new Pane("right", right, asked.get("rightAt"), changed));
  panels = new Panels(panes, rememberInAddress);
  // A panel that the address asks for opens where there is room for it beside both panes.
  if (Object.hasOwn(TITLES, asked.get("panel") ?? "") && window.innerWidth >= 1200) panels.open = asked.get("panel");
  if (asked.get("view") === "single") document.body.classList.add("single");
  showSide("left");
  document.title = `${store.directory.app.name} – sandbox`;
  drawTop();
  document.getElementById("desk").append(...panes.map((p) => p.root), panels.root);
  document.addEventListener("keydown", slashKey);
  onChange(render);
  await refresh();
  listen();
}

start();
