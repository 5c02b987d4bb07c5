"use strict";
// Only in the demo, before the page's own script: a passkey made of software, for a browser that has none. A bar at the top says which
// of the two signs, and changes it. W3C Web Authentication Level 3: create() gives an attestation of format `none`, get() an assertion.
(() => {
  const KEPT = "countersign-demo-passkeys", CHOSEN = "countersign-demo-chosen";
  const WORDS = {
    virtual: ["Virtual passkey: this demo signs with a key made of software, which protects nothing. A real passkey asks for your finger, face or PIN.", "Use a passkey of this browser"],
    own: ["A passkey of this browser signs.", "Use a virtual passkey"],
  };
  const own = { create: navigator.credentials?.create?.bind(navigator.credentials), get: navigator.credentials?.get?.bind(navigator.credentials) };
  const kept = () => JSON.parse(localStorage.getItem(KEPT) ?? "[]");
  let chosen = localStorage.getItem(CHOSEN) ?? "virtual";

  const utf8 = (text) => new TextEncoder().encode(text);
  const joined = (...parts) => Uint8Array.from(parts.flatMap((part) => [...part]));
  const sha256 = async (data) => new Uint8Array(await crypto.subtle.digest("SHA-256", data));
  const encoded = (data) => btoa(String.fromCharCode(...new Uint8Array(data))).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
  const decoded = (text) => Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (sign) => sign.charCodeAt(0));

  const clientData = (type, challenge) => utf8(JSON.stringify({ type, challenge: encoded(challenge), origin: location.origin, crossOrigin: false }));
  // Relying party, flags (user present and verified, and what `more` adds), counter.
  const about = async (rp, count, more = 0) => joined(await sha256(utf8(rp)), [0x05 | more], [count >>> 24, count >>> 16, count >>> 8, count].map((n) => n & 255));
  const refused = (text, name) => Promise.reject(new DOMException(text, name));

  async function create({ publicKey: wanted }) {
    const excluded = (wanted.excludeCredentials ?? []).map(({ id }) => encoded(id));
    if (kept().some(({ id }) => excluded.includes(id))) return refused("It has one already.", "InvalidStateError");
    const pair = await crypto.subtle.generateKey({ name: "ECDSA", namedCurve: "P-256" }, true, ["sign"]);
    const jwk = await crypto.subtle.exportKey("jwk", pair.privateKey), id = crypto.getRandomValues(new Uint8Array(16));
    localStorage.setItem(KEPT, JSON.stringify([...kept(), { id: encoded(id), rp: wanted.rp.id, user: encoded(wanted.user.id), jwk, count: 0 }]));
    const cose = joined([0xa5, 1, 2, 3, 0x26, 0x20, 1, 0x21, 0x58, 32], decoded(jwk.x), [0x22, 0x58, 32], decoded(jwk.y));
    const data = joined(await about(wanted.rp.id, 0, 0x40), new Uint8Array(16), [0, id.length], id, cose);
    const attestationObject = joined([0xa3, 0x63], utf8("fmt"), [0x64], utf8("none"), [0x67], utf8("attStmt"), [0xa0, 0x68], utf8("authData"), [0x58, data.length], data);
    return made(id, { clientDataJSON: clientData("webauthn.create", wanted.challenge), attestationObject });
  }

  async function get({ publicKey: wanted }) {
    const known = kept(), allowed = (wanted.allowCredentials ?? []).map(({ id }) => encoded(id));
    const key = known.find(({ id, rp }) => rp === wanted.rpId && (!allowed.length || allowed.includes(id)));
    if (!key) return refused("It has no such key.", "NotAllowedError");
    key.count += 1;
    localStorage.setItem(KEPT, JSON.stringify(known));
    const authenticatorData = await about(key.rp, key.count), clientDataJSON = clientData("webauthn.get", wanted.challenge);
    const secret = await crypto.subtle.importKey("jwk", key.jwk, { name: "ECDSA", namedCurve: "P-256" }, false, ["sign"]);
    const message = joined(authenticatorData, await sha256(clientDataJSON));
    const signature = der(new Uint8Array(await crypto.subtle.sign({ name: "ECDSA", hash: "SHA-256" }, secret, message)));
    return made(decoded(key.id), { clientDataJSON, authenticatorData, signature, userHandle: decoded(key.user) });
  }

  const made = (id, response) => ({ id: encoded(id), rawId: id, type: "public-key", response });
  // WebCrypto gives r and s of 32 bytes each, authenticators DER.
  function der(raw) {
    const number = (part) => {
      const bare = part.subarray(part.findIndex((byte) => byte !== 0));
      const whole = bare[0] > 127 ? joined([0], bare) : bare;
      return joined([2, whole.length], whole);
    };
    const both = joined(number(raw.subarray(0, 32)), number(raw.subarray(32)));
    return joined([0x30, both.length], both);
  }

  const stands = { create, get };
  window.PublicKeyCredential ??= class PublicKeyCredential {};
  if (!navigator.credentials) Object.defineProperty(navigator, "credentials", { value: {} });
  for (const name of ["create", "get"])
    navigator.credentials[name] = (options) => {
      if (name === "create") localStorage.setItem(CHOSEN, chosen); // who made it signs with it
      return chosen === "own" && own[name] ? own[name](options) : stands[name](options);
    };

  const bar = document.createElement("aside"), said = document.createElement("p"), change = document.createElement("button");
  bar.id = "passkey-used";
  bar.setAttribute("aria-label", "Which passkey signs");
  Object.assign(bar.style, { border: "2px dashed currentColor", borderRadius: ".5rem", padding: ".5rem .75rem", margin: "0 0 .75rem" });
  said.style.margin = "0 0 .5rem";
  change.type = "button";
  change.className = "quiet";
  change.addEventListener("click", () => choose(chosen === "own" ? "virtual" : "own"));
  bar.append(said, change);
  function choose(which, keep = true) {
    chosen = which;
    if (keep) localStorage.setItem(CHOSEN, which);
    [said.textContent, change.textContent] = WORDS[which];
    change.hidden = !own.get;
  }
  choose(chosen, false);
  document.querySelector("main").prepend(bar);
  // Until somebody has chosen: the browser's own where it has some, else the virtual one.
  if (!localStorage.getItem(CHOSEN))
    own.get && window.PublicKeyCredential.isUserVerifyingPlatformAuthenticatorAvailable?.().then((has) => localStorage.getItem(CHOSEN) || choose(has ? "own" : "virtual", false), () => {});
})();
