// What the server knows, as this page last heard it, and the way to ask for something to be done.
// `connected` is null until the live line stood once, so that a page that opens does not say it is reconnecting.

export const store = { directory: null, screens: new Map(), faults: null, paged: [], lines: [], connected: null };

const listeners = new Set();

export function onChange(listener) {
  listeners.add(listener);
}

function tell() {
  for (const listener of listeners) listener();
}

async function read(path) {
  const response = await fetch(path);
  if (!response.ok) throw new Error(await response.text());
  return response.json();
}

let wanted = () => [];

// Which persons' screens to read; given as a function, since panes change persons.
export function watch(users) {
  wanted = users;
}

let running = false;
let again = false;

// Read everything that is on screen; calls while one is under way become one more reading.
export async function refresh() {
  if (running) {
    again = true;
    return;
  }
  running = true;
  try {
    do {
      again = false;
      store.directory = await read("/sandbox/directory");
      const users = [...new Set(wanted())];
      const screens = await Promise.all(users.map((u) => read(`/sandbox/screen?user=${encodeURIComponent(u)}`)));
      store.screens = new Map(users.map((u, i) => [u, screens[i]]));
      store.faults = await read("/sandbox/faults");
      store.paged = (await read("/sandbox/paged")).paged;
      const last = store.lines.at(-1)?.number ?? 0;
      const fresh = (await read(`/sandbox/timeline?after=${last}`)).lines;
      const open = store.lines.filter((l) => !fresh.some((f) => f.number === l.number));
      store.lines = [...open, ...fresh].slice(-400);
    } while (again);
  } finally {
    running = false;
  }
  tell();
}

// Do something as a person; resolves with the outcome, or `{error}` when it cannot be done.
export async function act(gesture, args) {
  const response = await fetch(`/sandbox/do/${gesture}`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(args),
  });
  return response.json();
}

export async function setFault(fault, args = {}) {
  const response = await fetch("/sandbox/faults", {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ fault, ...args }),
  });
  return response.json();
}

// Stay connected to the live line; every word on it means: something changed, read again.
export function listen() {
  const scheme = location.protocol === "https:" ? "wss:" : "ws:";
  const line = new WebSocket(`${scheme}//${location.host}/sandbox/live`);
  line.addEventListener("message", () => {
    store.connected = true;
    refresh().catch(() => {});
  });
  line.addEventListener("close", () => {
    store.connected = false;
    tell();
    setTimeout(listen, 1000);
  });
}

export const userOf = (id) => store.directory.users.find((u) => u.id === id);
export const teamOf = (id) => store.directory.teams.find((t) => t.id === id);
export const SLACKBOT = { id: "USLACKBOT", shown_name: "Slackbot", name: "slackbot", team_id: "", tz: "UTC" };

export function nameOf(id) {
  if (id === SLACKBOT.id) return SLACKBOT.shown_name;
  return userOf(id)?.shown_name ?? id;
}
