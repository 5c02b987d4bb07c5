"use strict";
// The page where decisions are signed. The token of the link stands in the fragment and leaves it only in the body of a call.
const RENEW = 4 * 60 * 1000; // statements live for five minutes
const by = (id) => document.getElementById(id);
const token = location.hash.slice(1);
let view = null; // the question
let ready = {}; // statements fetched ahead, by what they say
let unsent = null; // a signed answer whose reply was lost

const bytes = (text) => Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (sign) => sign.charCodeAt(0));
const text64 = (buffer) =>
  btoa(String.fromCharCode(...new Uint8Array(buffer))).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");

function say(text, bad = false) {
  by("status").textContent = text;
  by("status").className = bad ? "bad" : "";
}

async function call(path, body) {
  const answer = await fetch(path, {
    method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify({ token, ...body }),
    cache: "no-store", credentials: "same-origin", referrerPolicy: "no-referrer",
  });
  return { status: answer.status, ...(await answer.json()) };
}

function wish(choice) {
  if (!choice.yes || choice.verdict !== "approve") return {};
  if (view.until) return by("day").value ? { until: by("day").value } : {};
  return by("time").value ? { seconds: Number(by("time").value) } : {};
}

const named = (choice) => JSON.stringify([choice.verdict, wish(choice)]);

async function fetchAhead() {
  if (!view || !view.open) return;
  for (const choice of view.choices) {
    const key = named(choice);
    const told = await call("/api/statement", { verdict: choice.verdict, ...wish(choice) });
    if (!told.statement) {
      delete ready[key];
      if (choice.yes) say(told.text || "No statement came. Reload the page.", true);
      continue;
    }
    if (told.words !== by("words").textContent) {
      by("words").textContent = told.words;
      say("Something new came; read again.", true);
    }
    ready[key] = told;
    if (choice.yes) by("statement").textContent = told.text + "\n\nsalt of “shown”: " + told.salt;
  }
  draw();
}

function draw() {
  const able = Boolean(window.PublicKeyCredential);
  for (const button of by("buttons").children) {
    const choice = view.choices[Number(button.dataset.n)];
    button.disabled = !able || !ready[named(choice)];
  }
}

function label(choice) {
  if (!choice.yes) return by("no").hidden ? choice.label : choice.label + " with passkey";
  return choice.label + (Object.keys(wish(choice)).length ? " for less with passkey" : " with passkey");
}

function buttons() {
  by("buttons").replaceChildren(
    ...view.choices.map((choice, n) => {
      const button = document.createElement("button");
      button.type = "button";
      button.dataset.n = String(n);
      button.className = choice.yes ? "yes" : "no";
      button.textContent = label(choice);
      button.addEventListener("click", () => pressed(choice));
      return button;
    }),
  );
  draw();
}

function pressed(choice) {
  if (!choice.yes && by("no").hidden) {
    by("no").hidden = false;
    by("reason").focus();
    buttons();
    return;
  }
  if (!choice.yes && !by("reason").value.trim()) {
    say("Give a reason: the requester reads it, and the decision log keeps it.", true);
    by("reason").focus();
    return;
  }
  const told = ready[named(choice)];
  if (!told) return;
  // Inside the tap, without waiting for anything: Safari asks for nothing later.
  const asked = navigator.credentials.get({
    publicKey: {
      challenge: bytes(told.challenge), rpId: told.rp, userVerification: "required", timeout: 120000,
      allowCredentials: told.keys.map((id) => ({ type: "public-key", id: bytes(id) })),
    },
  });
  say("Waiting for your passkey …");
  asked.then((made) => send(choice, told, made), (error) => say("Nothing was signed (" + error.name + "). Try again.", true));
}

async function send(choice, told, made) {
  unsent = {
    statement: told.statement, credential: text64(made.rawId), authenticator_data: text64(made.response.authenticatorData),
    client_data: text64(made.response.clientDataJSON), signature: text64(made.response.signature),
  };
  if (!choice.yes) unsent.reason = by("reason").value.trim();
  await deliver();
}

async function deliver() {
  say("Sending …");
  let told;
  try {
    told = await call("/api/sign", unsent);
  } catch {
    say("The answer was lost. Send the same signature again: it counts once.", true);
    const again = document.createElement("button");
    again.type = "button";
    again.textContent = "Send again";
    again.addEventListener("click", deliver);
    by("buttons").replaceChildren(again);
    return;
  }
  unsent = null;
  ready = {};
  await load(told.text, !told.ok);
}

async function load(said = "", bad = false) {
  let told;
  try {
    told = await call("/api/read", {});
  } catch {
    say("The page cannot reach Countersign. Check your connection and reload.", true);
    return;
  }
  if (!told.words) {
    say(told.text, true);
    return;
  }
  view = told;
  by("words").textContent = told.words;
  by("no").hidden = true;
  by("buttons").replaceChildren();
  by("less").hidden = by("exact").hidden = !told.open;
  say(said || (told.open ? "Your answer is needed." : "This question is closed."), bad);
  if (!told.open) return;
  times();
  buttons();
  if (!window.PublicKeyCredential)
    say("This browser cannot use passkeys. Copy the address and open it in Safari or Chrome.", true);
  await fetchAhead();
}

function times() {
  const whole = new Option(view.until ? "" : "All that was asked for", "");
  by("time").replaceChildren(whole, ...(view.less || []).map(([seconds, words]) => new Option(words, seconds)));
  by("time").hidden = Boolean(view.until);
  by("day").hidden = !view.until;
  by("day").max = view.until;
  by("less").hidden = !view.until && !(view.less || []).length;
}

async function chosen() {
  buttons();
  await fetchAhead();
}

by("time").addEventListener("change", chosen);
by("day").addEventListener("change", chosen);
by("copy").addEventListener("click", async () => {
  try {
    await navigator.clipboard.writeText(location.href);
    say("Copied. Open it in Safari or Chrome.");
  } catch {
    say(location.href);
  }
});
document.addEventListener("visibilitychange", () => {
  if (!document.hidden && !unsent) fetchAhead();
});
setInterval(() => {
  if (!unsent) fetchAhead();
}, RENEW);
// A passkey is made, or tried: the code first, then one more tap, so that the ceremony begins inside it.
let options = null;

async function enrol(event) {
  event.preventDefault();
  const code = by("code").value.trim();
  if (!options) {
    const told = await call("/api/enrol/begin", { code }).catch(() => ({ text: "The page cannot reach Countersign." }));
    if (!told.challenge) return say(told.text, true);
    options = told;
    by("code").readOnly = true;
    by("enrol").querySelector("button").textContent = told.kind === "enrol" ? "Make passkey" : "Try passkey";
    return say(told.name + (told.kind === "enrol" ? ": make a passkey on this device, or on a security key." : ": sign once, to try it."));
  }
  const keys = options.keys.map((id) => ({ type: "public-key", id: bytes(id) }));
  const shared = { challenge: bytes(options.challenge), timeout: 300000 };
  const asked =
    options.kind === "enrol"
      ? navigator.credentials.create({ publicKey: {
          ...shared, rp: { id: options.rp, name: "Countersign" }, excludeCredentials: keys, attestation: options.attestation || "none",
          user: { id: bytes(options.user), name: options.name, displayName: options.name },
          pubKeyCredParams: options.algorithms.map((alg) => ({ type: "public-key", alg })),
          authenticatorSelection: { residentKey: "required", requireResidentKey: true, userVerification: "required" },
        } })
      : navigator.credentials.get({ publicKey: { ...shared, rpId: options.rp, userVerification: "required", allowCredentials: keys } });
  return asked.then(enrolled, (error) => say("Nothing was made (" + error.name + "). Try again.", true));
}

async function enrolled(made) {
  const parts = made.response;
  const sent = { code: by("code").value.trim(), id: text64(made.rawId), client_data: text64(parts.clientDataJSON) };
  if (parts.attestationObject) sent.attestation = text64(parts.attestationObject);
  else Object.assign(sent, { authenticator_data: text64(parts.authenticatorData), signature: text64(parts.signature) });
  const told = await call("/api/enrol/finish", sent).catch(() => ({ text: "The answer was lost. Run the command again." }));
  if (!told.words) return say(told.text, true);
  by("enrol").hidden = true;
  by("made").hidden = false;
  by("made").textContent = [told.line, told.words].filter(Boolean).join("\n\n");
  return say(told.line ? "Made. Give this line to whoever keeps the policy, and read the words out to whoever reviews it." : told.text);
}

// Without a link: a passkey signs in, then what waits is listed.
let begun = null;

async function front() {
  const told = await call("/api/waiting", {}).catch(() => null);
  if (!told) return say("The page cannot reach Countersign. Check your connection and reload.", true);
  if (told.waiting) return list(told);
  begun = await call("/api/session/begin", {}).catch(() => null);
  if (!begun || !begun.challenge) return say((begun && begun.text) || "Open the link in your message from Countersign.", true);
  say("Sign in with your passkey to see what waits for you.");
  const button = document.createElement("button");
  button.type = "button";
  button.className = "yes";
  button.textContent = "Sign in with passkey";
  button.disabled = !window.PublicKeyCredential;
  if (button.disabled) say("This browser cannot use passkeys. Copy the address and open it in Safari or Chrome.", true);
  button.addEventListener("click", signIn);
  by("buttons").replaceChildren(button);
}

function signIn() {
  const told = begun;
  const asked = navigator.credentials.get({
    publicKey: { challenge: bytes(told.challenge), rpId: told.rp, userVerification: "required", timeout: 120000 },
  });
  say("Waiting for your passkey …");
  asked.then((made) => signedIn(told, made), (error) => say("Nobody signed in (" + error.name + "). Try again.", true));
}

async function signedIn(told, made) {
  const answer = await call("/api/session/finish", {
    nonce: told.nonce, credential: text64(made.rawId), authenticator_data: text64(made.response.authenticatorData),
    client_data: text64(made.response.clientDataJSON), signature: text64(made.response.signature),
  }).catch(() => ({ text: "The answer was lost. Reload the page." }));
  if (answer.ok) return front();
  await front();
  say(answer.text, true);
}

function list(told) {
  say(told.waiting.length ? told.name + ": this waits for you." : told.name + ": nothing waits for you.");
  by("buttons").replaceChildren(
    ...told.waiting.map(({ title, address }) => {
      const link = document.createElement("a");
      link.className = "waits";
      link.href = address;
      link.textContent = title;
      return link;
    }),
  );
}

addEventListener("hashchange", () => location.reload()); // another link in the same tab
by("enrol").addEventListener("submit", enrol);
if (location.pathname === "/e") {
  by("enrol").hidden = !token;
  say(token ? "Type the code that the host printed." : "Open the whole address that the host printed.", !token);
} else if (token) load();
else front();
