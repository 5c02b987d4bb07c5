"use strict";
// The log in an export: read from its files and checked again from its bytes. Nothing here draws, nothing asks a network.
// RFC 9162: a leaf is SHA-256(0x00 ‖ bytes), a node SHA-256(0x01 ‖ left ‖ right). C2SP: tlog-tiles, signed-note.

const text = new TextDecoder("utf-8", { fatal: true });
const WIDTH = 256, HASH = 32;

class Damaged extends Error {}

function fromBase64(s) {
  const plain = s.replace(/-/g, "+").replace(/_/g, "/");
  const decoded = atob(plain), bytes = new Uint8Array(decoded.length);
  for (let i = 0; i < decoded.length; i++) bytes[i] = decoded.charCodeAt(i);
  return bytes;
}
// Files from pieces of base64, by path.
const filesOf = (pieces) => new Map([...pieces].map(([path, parts]) => [path, new Blob(parts.map(fromBase64))]));
const hex = (bytes) => Array.from(bytes, (b) => b.toString(16).padStart(2, "0")).join("");
const base64url = (bytes) =>
  btoa(String.fromCharCode(...bytes)).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
const same = (a, b) => a.length === b.length && a.every((byte, i) => byte === b[i]);

async function sha256(...parts) {
  const whole = new Uint8Array(parts.reduce((n, p) => n + p.length, 0));
  let at = 0;
  for (const part of parts) { whole.set(part, at); at += part.length; }
  return new Uint8Array(await crypto.subtle.digest("SHA-256", whole));
}
const LEAF = Uint8Array.of(0), NODE = Uint8Array.of(1);
const leafHash = (data) => sha256(LEAF, data);
const nodeHash = (left, right) => sha256(NODE, left, right);

function tilePath(level, n, width) {
  let index = String(n % 1000).padStart(3, "0");
  for (let rest = Math.floor(n / 1000); rest > 0; rest = Math.floor(rest / 1000))
    index = "x" + String(rest % 1000).padStart(3, "0") + "/" + index;
  return `tile/${level}/${index}${width === WIDTH ? "" : `.p/${width}`}`;
}

function unbundle(data, path) {
  const entries = [];
  for (let at = 0; at < data.length; ) {
    const end = at + 2 + data[at] * 256 + data[at + 1];
    if (!(end <= data.length)) throw new Damaged(`${path} is cut off`);
    entries.push(data.subarray(at + 2, end));
    at = end;
  }
  return entries;
}

// A C2SP signed note: its text, and its signatures with the name and id of their key.
function parseNote(note) {
  const cut = note.lastIndexOf("\n\n");
  if (cut < 0) throw new Damaged("the checkpoint has no signature");
  const body = note.slice(0, cut + 1), lines = body.split("\n");
  const signatures = note.slice(cut + 2).split("\n").filter(Boolean).map((line) => {
    const found = /^— (\S+) ([A-Za-z0-9+/]+=*)$/.exec(line);
    if (!found) throw new Damaged("a line under the checkpoint is no signature");
    const bytes = fromBase64(found[2]);
    return { name: found[1], id: hex(bytes.subarray(0, 4)), signature: bytes.subarray(4) };
  });
  if (!/^(0|[1-9][0-9]*)$/.test(lines[1])) throw new Damaged("the checkpoint's size is no number");
  return { body, origin: lines[0], size: Number(lines[1]), root: fromBase64(lines[2]), signatures };
}

// A C2SP tlog-proof: null where it is none.
function parseProof(proof) {
  const found = /^c2sp\.org\/tlog-proof@v1\n(?:extra .*\n)?index (\d+)\n((?:[A-Za-z0-9+/=]+\n)*)\n([^]*)$/.exec(proof);
  return found && { index: Number(found[1]), path: found[2].split("\n").filter(Boolean).map(fromBase64), note: found[3] };
}
async function provenRoot(index, size, leaf, path) {
  let fn = index, sn = size - 1, node = leaf;
  for (const other of path) {
    if (sn === 0) return new Uint8Array();
    if (fn % 2 === 1 || fn === sn) {
      node = await nodeHash(other, node);
      while (fn % 2 === 0 && fn !== 0) { fn = Math.floor(fn / 2); sn = Math.floor(sn / 2); }
    } else node = await nodeHash(node, other);
    fn = Math.floor(fn / 2); sn = Math.floor(sn / 2);
  }
  return sn === 0 ? node : new Uint8Array();
}

// The verifier keys of a file or a field, one a line: `name+id+base64(algorithm ‖ key)`.
async function parseKeys(lines) {
  const keys = [];
  for (const line of lines.split("\n").map((l) => l.trim()).filter(Boolean)) {
    const found = /^(\S+?)\+([0-9a-f]{8})\+([A-Za-z0-9+/]+=*)$/.exec(line);
    const bytes = found && fromBase64(found[3]);
    if (!bytes || bytes.length !== 33 || bytes[0] !== 1) throw new Damaged(`“${line}” is no Ed25519 verifier key`);
    const id = (await sha256(new TextEncoder().encode(found[1] + "\n"), bytes)).subarray(0, 4);
    if (hex(id) !== found[2]) throw new Damaged(`the key “${line}” does not have the id it names`);
    keys.push({ name: found[1], id: found[2], key: bytes.subarray(1) });
  }
  return keys;
}

// "good", "bad", or "unknown": this browser has no Ed25519.
async function checkSignature(note, keys) {
  const body = new TextEncoder().encode(note.body);
  for (const { name, id, signature } of note.signatures) {
    const known = keys.find((key) => key.name === name && key.id === id);
    if (!known) continue;
    let key;
    try {
      key = await crypto.subtle.importKey("raw", known.key, { name: "Ed25519" }, false, ["verify"]);
    } catch (error) {
      if (error.name === "NotSupportedError" || error instanceof TypeError || error.name === "SyntaxError") return "unknown";
      throw error;
    }
    return (await crypto.subtle.verify({ name: "Ed25519" }, key, signature, body)) ? "good" : "bad";
  }
  return "bad";
}

// RFC 8785 of what the log allows: sorted keys, no floats.
function canonical(value) {
  if (Array.isArray(value)) return `[${value.map(canonical).join(",")}]`;
  if (value && typeof value === "object")
    return `{${Object.keys(value).sort().map((k) => JSON.stringify(k) + ":" + canonical(value[k])).join(",")}}`;
  return JSON.stringify(value);
}

// What file managers and editors leave behind, and what an export is made of; of a selection the second.
const LITTER = /(^|\/)(\.|~|__MACOSX|Icon\r|(eh)?thumbs\.db|desktop\.ini)|~$/i;
const BESIDE = /^(checkpoint|log\.vkey|disclosures\.jsonl|ocsf\.ndjson|log\.csv|index\.html|VERIFY\.md|findings\.json)$/;
const WHOLE = /^(tile\/.+|checkpoints\/\d+|anchors\/\d{6,}\.json|policy\/[0-9a-f]{64}\/.+)$/, SELECTED = /^(selection\.json|case\/\d+\.(json|tlog-proof))$/;
// A path as text that reorders nothing beside it.
const plainPath = (path) => path.replace(/[^ -~]/g, (sign) => "\\u" + sign.charCodeAt(0).toString(16).padStart(4, "0"));

class Log {
  constructor(files, filled = false) {
    this.files = files; // path to File
    this.filled = filled; // from the page itself, which holds only the front matter of runbooks
    this.entries = []; // parsed, null where the bytes were pruned
    this.disclosures = []; // {i, digest, disclosure, name, value}
    this.people = new Map(); // pseudonym to TEAM/USER
    this.names = new Map(); // user id to a name that a policy file gives
  }

  async bytes(path) {
    const file = this.files.get(path);
    return file ? new Uint8Array(await file.arrayBuffer()) : null;
  }
  async read(path) {
    const found = await this.bytes(path);
    if (!found) throw new Damaged(`the file ${path} is missing`);
    return found;
  }

  async open(progress) {
    this.note = parseNote(text.decode(await this.read("checkpoint")));
    this.keyFile = text.decode(await this.read("log.vkey"));
    this.isCase = this.files.has("selection.json") || [...this.files.keys()].some((path) => path.startsWith("case/"));
    if (this.isCase) for (const i of this.caseIndexes()) this.entries.push(parsed(await this.read(`case/${i}.json`)));
    for (let n = 0; !this.isCase && n * WIDTH < this.note.size; n++) {
      const width = Math.min(WIDTH, this.note.size - n * WIDTH);
      const path = tilePath("entries", n, width), data = await this.bytes(path);
      const parts = data ? unbundle(data, path) : Array(width).fill(null);
      for (const part of parts) this.entries.push(part && parsed(part));
      progress(this.entries.length, this.note.size);
    }
    await this.openDisclosures();
    await this.openNames();
    return this;
  }

  async openDisclosures() {
    const data = await this.bytes("disclosures.jsonl");
    for (const line of data ? text.decode(data).split("\n").filter(Boolean) : []) {
      const told = JSON.parse(line);
      const [, name, value] = JSON.parse(text.decode(fromBase64(told.disclosure)));
      this.disclosures.push({ ...told, name, value });
      if (name === "person") this.people.set(await pseudonym(told.disclosure), value);
    }
  }

  // Names for reading only: whoever `id: U…, name: …` stands together in a responsibility matrix that the log names.
  async openNames() {
    for (const [path, file] of this.files) {
      const digest = /^policy\/([0-9a-f]{64})\/responsibility\.yaml$/.exec(path)?.[1];
      if (!digest || (await this.setFaults(digest)).length) continue;
      for (const [, id, name] of (await file.text()).matchAll(/\bid:\s*([UW][A-Z0-9]+)\s*(?:,|\n)\s*name:\s*["']?([^,}"'\n]+)/g))
        this.names.set(id, name.trim());
    }
  }

  // What of a policy set is not as the log has it: its files have the digests that policy.loaded lists, and without that entry the
  // set's own digest, which is of the lines `<hex>  <path>`.
  async setFaults(digest) {
    const folder = `policy/${digest}/`, found = new Map(), faults = [], encoder = new TextEncoder();
    for (const [path, file] of this.files)
      if (path.startsWith(folder)) found.set(path.slice(folder.length), hex(await sha256(new Uint8Array(await file.arrayBuffer()))));
    const loaded = this.entries.find((entry) => entry?.type === "policy.loaded" && entry.policy?.sha256 === digest);
    if (loaded) {
      const listed = new Map((loaded.data?.files ?? []).map(({ path, sha256: digest_ }) => [path, digest_]));
      for (const [path, digest_] of listed) {
        if (this.filled && path !== "responsibility.yaml") continue;
        if (!found.has(path)) faults.push(`${folder}${path} is missing`);
        else if (found.get(path) !== digest_) faults.push(`${folder}${path} was altered`);
      }
      for (const path of found.keys()) if (!listed.has(path) && !LITTER.test(path)) faults.push(`${folder}${path} does not belong to its set`);
      return faults;
    }
    if (!this.entries.some((entry) => entry?.policy?.sha256 === digest)) return [`${folder} is no set that the log names`];
    if (this.filled && !this.isCase && this.entries.includes(null)) return faults; // its entry was pruned, and of runbooks the page holds a part
    const names = [...found.keys()].filter((path) => !LITTER.test(path)).map((path) => [encoder.encode(path), path]);
    const before = ([a], [b]) => { for (let k = 0; ; k++) if (a[k] !== b[k]) return (a[k] ?? -1) - (b[k] ?? -1); };
    const lines = names.sort(before).map(([, path]) => `${found.get(path)}  ${path}\n`).join("");
    return hex(await sha256(encoder.encode(lines))) === digest ? faults : [`${folder} was altered`];
  }

  // Reports what of the policy was altered, added or left out, and files of a whole log beside a selection; gives the strangers.
  async checkFiles(report) {
    const told = (said, i = null) => report("policy", i, `${plainPath(said)}.`, true);
    const folders = new Set([...this.files.keys()].map((path) => /^policy\/([0-9a-f]{64})\//.exec(path)?.[1]).filter(Boolean));
    const wrong = this.isCase ? [...this.files.keys()].filter((path) => WHOLE.test(path) && !LITTER.test(path)) : [];
    for (const path of wrong.sort().slice(0, 20)) report("node", null, `${plainPath(path)} does not belong to an export of single requests.`, true);
    if (!this.isCase) {
      for (const digest of folders) for (const fault of await this.setFaults(digest)) told(fault);
      const named = new Map();
      for (const entry of this.entries) if (entry?.policy && !named.has(entry.policy.sha256)) named.set(entry.policy.sha256, entry.i);
      for (const [digest, i] of named) if (!folders.has(digest)) told(`policy/${digest}/ is missing, which entry ${i} names`, i);
    }
    const ours = (path) => BESIDE.test(path) || LITTER.test(path) || (this.isCase ? SELECTED : WHOLE).test(path) || wrong.includes(path);
    return [...this.files.keys()].filter((path) => !ours(path)).map(plainPath);
  }

  // Checks everything again from the files; gives findings {code, i, text} and what was checked.
  async verify(trusted, progress) {
    const findings = [], report = (code, i, text, altered = false) => findings.push({ code, i, text, altered });
    const keys = await parseKeys(trusted || this.keyFile);
    const note = parseNote(text.decode(await this.read("checkpoint")));
    const signature = await checkSignature(note, keys);
    if (signature === "bad") report("signature", null, "The checkpoint does not carry a good signature of the verifier key.");
    const roots = await this.olderRoots(keys, note, report);
    const state = { edge: [], sizes: roots, report, cases: new Map(), owed: new Map(), ts: "", stepBack: false, minimum: 0, emptied: -1 };
    await this.takeDisclosures(state);
    const strangers = await this.checkFiles(report);
    const signed = await checkSigned(this, report);
    if (!this.isCase) await checkEndorsed(this, report);
    const stated = parsed((await this.bytes("findings.json")) ?? new Uint8Array())?.findings ?? [];
    for (const { code, i, text: said } of stated)
      if (!findings.some((one) => one.code === code && one.i === i)) findings.push({ code, i, text: said, stated: true });
    const done = () => ({ findings, signature, size: note.size, root: hex(note.root), ownKey: !trusted, checkpoints: roots.size, signed, strangers });
    if (this.isCase) { await this.verifyCase(note, state); return done(); }
    const level = [[]];
    for (let n = 0; n * WIDTH < note.size; n++) {
      await this.verifyBundle(n, Math.min(WIDTH, note.size - n * WIDTH), state, level);
      progress(Math.min((n + 1) * WIDTH, note.size), note.size);
    }
    await this.verifyUpperTiles(level[0], note.size, report);
    for (const [digest, i] of state.owed) report("disclosure", i, `Nothing discloses ${digest}, and no erasure names it.`);
    if (state.emptied >= state.minimum) report("pruned", state.emptied, `The bytes of entry ${state.emptied} are missing.`);
    return done();
  }

  caseIndexes() {
    return [...this.files.keys()].map((path) => /^case\/(\d+)\.json$/.exec(path)?.[1]).filter(Boolean).map(Number).sort((a, b) => a - b);
  }

  // One request: each entry leads to the checkpoint's root by its own proof (C2SP tlog-proof, RFC 9162, 2.1.3.2).
  async verifyCase(note, state) {
    const whole = text.decode(await this.read("checkpoint"));
    for (const i of this.caseIndexes()) {
      const data = await this.read(`case/${i}.json`), leaf = await leafHash(data);
      const proof = parseProof(text.decode((await this.bytes(`case/${i}.tlog-proof`)) ?? new Uint8Array()));
      if (!proof || proof.index !== i) state.report("leaf", i, `Entry ${i} has no proof.`);
      else if (proof.note !== whole) state.report("checkpoint", i, `The proof of entry ${i} carries another checkpoint than the export.`);
      else if (!same(await provenRoot(i, note.size, leaf, proof.path), note.root))
        state.report("leaf", i, `The proof of entry ${i} does not lead from its bytes to the checkpoint's root.`);
      this.verifyEntry(i, data, leaf, { ...state, ts: "", owed: new Map(), emptied: i });
    }
  }

  // Earlier checkpoints: their signatures now, their roots when the tree has their size.
  async olderRoots(keys, newest, report) {
    const roots = new Map([[newest.size, [newest.root, "checkpoint"]]]);
    for (const path of [...this.files.keys()].filter((p) => /^checkpoints\/\d+$/.test(p))) {
      const note = parseNote(text.decode(await this.read(path)));
      if (`checkpoints/${note.size}` !== path) report("checkpoint", null, `${path} is of another size.`);
      if (note.size > newest.size) report("checkpoint", null, `${path} covers more entries than the export has.`);
      if ((await checkSignature(note, keys)) === "bad") report("signature", null, `${path} does not carry a good signature.`);
      const known = roots.get(note.size);
      if (known && !same(known[0], note.root)) report("root", note.size - 1, `Two checkpoints of size ${note.size} differ.`);
      roots.set(note.size, [note.root, path]);
    }
    return roots;
  }

  async takeDisclosures(state) {
    state.shown = new Map();
    state.told = new Set();
    for (const line of text.decode((await this.bytes("disclosures.jsonl")) ?? new Uint8Array()).split("\n").filter(Boolean)) {
      const told = JSON.parse(line);
      const digest = base64url(await sha256(new TextEncoder().encode(told.disclosure)));
      if (digest !== told.digest) state.report("disclosure", told.i, `A disclosure of entry ${told.i} was altered.`);
      if (!state.shown.has(told.i)) state.shown.set(told.i, new Set());
      state.shown.get(told.i).add(told.digest);
      state.told.add(told.digest);
    }
  }

  async verifyBundle(n, width, state, level) {
    const path = tilePath("entries", n, width), data = await this.bytes(path);
    const parts = data ? unbundle(data, path) : Array(width).fill(null);
    const stored = await this.read(tilePath(0, n, width));
    if (parts.length !== width || stored.length !== width * HASH) throw new Damaged(`${path} and its tile do not hold ${width} entries`);
    const leaves = await Promise.all(parts.map((part, k) => part ? leafHash(part) : stored.slice(k * HASH, (k + 1) * HASH)));
    for (let k = 0; k < width; k++) {
      const i = n * WIDTH + k;
      if (!same(leaves[k], stored.subarray(k * HASH, (k + 1) * HASH)))
        state.report("leaf", i, `Entry ${i} was altered: its bytes do not have the hash in ${tilePath(0, n, width)}.`);
      if (parts[k]) this.verifyEntry(i, parts[k], leaves[k], state); else state.emptied = i;
      await grow(state.edge, i, leaves[k]);
      const noted = state.sizes.get(i + 1);
      if (noted && !same(await rootOf(state.edge), noted[0]))
        state.report("root", i, `The entries do not lead to the root in ${noted[1]} (size ${i + 1}).`);
    }
    if (width === WIDTH) level[0].push(await subtree(leaves));
  }

  verifyEntry(i, data, leaf, state) {
    const entry = parsed(data), report = (code, said) => state.report(code, i, said);
    if (!entry) return report("canonical", `Entry ${i} is no JSON object.`);
    if (canonical(entry) !== text.decode(data)) report("canonical", `Entry ${i} is not in its one canonical form.`);
    if (entry.i !== i) report("index", `Entry ${i} calls itself ${entry.i}.`);
    if (entry.ts < state.ts && !state.stepBack) report("ts", `Entry ${i} is dated before the one before it.`);
    state.ts = entry.ts;
    state.stepBack = entry.type === "clock.anomaly" && entry.data?.accepted === true;
    if (entry.case !== undefined) {
      const before = state.cases.get(entry.case);
      const pruned = !before && state.emptied >= 0;
      if (!pruned && (entry.case_seq !== (before ? before.seq + 1 : 0) || entry.case_prev !== before?.leaf))
        report("case", `Entry ${i} does not follow the entry before it of ${entry.case}.`);
      state.cases.set(entry.case, { seq: entry.case_seq, leaf: hex(leaf) });
    }
    const shown = state.shown.get(i) ?? new Set(), own = new Set(entry._sd ?? []);
    for (const digest of own) if (!shown.has(digest)) state.owed.set(digest, i);
    for (const digest of shown) if (!own.has(digest)) report("disclosure", `A disclosure says it is of entry ${i} and is not.`);
    if (entry.type === "privacy.erased")
      for (const digest of entry.data?.digests ?? []) {
        state.owed.delete(digest);
        if (state.told.has(digest)) report("disclosure", `Entry ${i} says that ${digest} is erased, and it is disclosed.`);
      }
    if (entry.type === "log.pruned") state.minimum = Math.max(state.minimum, entry.data?.minimum ?? 0);
  }

  async verifyUpperTiles(below, size, report) {
    for (let level = 1; below.length > 0; level++) {
      const next = [];
      for (let n = 0; n * WIDTH < below.length; n++) {
        const part = below.slice(n * WIDTH, (n + 1) * WIDTH), path = tilePath(level, n, part.length);
        const stored = await this.read(path);
        part.forEach((hash, k) => {
          if (!same(hash, stored.subarray(k * HASH, (k + 1) * HASH)))
            report("node", (n * WIDTH + k + 1) * WIDTH ** level - 1, `${path} does not agree with the entries.`);
        });
        if (part.length === WIDTH) next.push(await subtree(part));
      }
      below = next;
    }
  }
}

function parsed(data) {
  try {
    const entry = JSON.parse(text.decode(data));
    return entry && typeof entry === "object" && !Array.isArray(entry) ? entry : null;
  } catch { return null; }
}

async function pseudonym(disclosure) {
  const digest = (await sha256(new TextEncoder().encode(disclosure))).subarray(0, 16);
  const letters = "abcdefghijklmnopqrstuvwxyz234567";
  let bits = 0, held = 0, out = "sub_";
  for (const byte of digest) {
    held = held * 256 + byte; bits += 8;
    while (bits >= 5) { bits -= 5; out += letters[Math.floor(held / 2 ** bits) % 32]; held %= 2 ** bits; }
  }
  return out + letters[(held * 2 ** (5 - bits)) % 32];
}

// The roots of the complete subtrees, largest first, after one more leaf on a tree of `size`.
async function grow(edge, size, leaf) {
  let node = leaf;
  for (let rest = size; rest % 2 === 1; rest = Math.floor(rest / 2)) node = await nodeHash(edge.pop(), node);
  edge.push(node);
}
async function rootOf(edge) {
  let node = edge[edge.length - 1] ?? (await sha256());
  for (let k = edge.length - 2; k >= 0; k--) node = await nodeHash(edge[k], node);
  return node;
}
async function subtree(hashes) {
  const edge = [];
  for (let k = 0; k < hashes.length; k++) await grow(edge, k, hashes[k]);
  return rootOf(edge);
}

// The same in a worker, so that the page stays quick while 100,000 entries are read and checked: it sends each piece of a filled page, asks with
// open or verify, and hears {progress}, {part} (entries, a thousand at a time), then {done} or {failed}.
if (typeof WorkerGlobalScope !== "undefined") {
  let log = null;
  const pieces = new Map();
  const answer = {
    piece({ path, text }) { pieces.set(path, [...(pieces.get(path) ?? []), text]); },
    async open({ files }) {
      if (!globalThis.crypto?.subtle) throw new Error("no cryptography in a worker");
      log = await new Log(files ?? filesOf(pieces), !files).open((done, all) => postMessage({ progress: [done, all] }));
      for (const name of ["entries", "disclosures"])
        for (let at = 0; at < log[name].length; at += 1000) postMessage({ part: log[name].slice(at, at + 1000), name });
      return { note: log.note, isCase: log.isCase, people: log.people, names: log.names, paths: new Set(log.files.keys()) };
    },
    verify: ({ trusted }) => log.verify(trusted, (done, all) => postMessage({ progress: [done, all] })),
  };
  onmessage = async ({ data }) => {
    try {
      const done = await answer[data.what](data);
      if (data.what !== "piece") postMessage({ done });
    } catch (error) {
      postMessage({ failed: error.message });
    }
  };
}
