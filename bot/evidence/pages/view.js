"use strict";
// Draws the log: cases, their timelines, and what a check found. Text from the log is only ever text, never markup.

const $ = (id) => document.getElementById(id);
const MORE = 200;
let log = null, cases = [], chosen = [];

function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) if (value !== undefined) made.setAttribute(name, value);
  made.append(...children.filter((child) => child !== undefined && child !== ""));
  return made;
}
const say = (sentence) => { $("status").textContent = sentence; };

// ── words ──

const WORDS = /* words */;

const STATES = {
  "request.refused": "refused at filing", "request.denied": "denied", "request.withdrawn": "withdrawn",
  "request.expired": "expired", "grant.opened": "open", "grant.finished": "finished", "grant.unused": "unused",
  "grant.revoked": "revoked", "grant.lapsed": "lapsed", "exception.ended": "ended",
  "sealed_use.recorded": "used without approval", "finding.filed": "open finding",
  "finding.acknowledged": "acknowledged finding", "finding.closed": "closed finding", "campaign.closed": "closed review",
};
// An owner's review of rights belongs to no request: its entries are one case by its id.
const REVIEW = new Set(["campaign.opened", "right.kept", "right.narrowed", "right.withdrawn", "roster.attested", "campaign.closed"]);
const RIGHTS = { autonomous: "which opens by itself", break_glass: "break-glass", exception: "an exception" };
const ROLES = { owner: "owner", deputies: "deputy", on_call: "on-call", risk_owner: "risk owner" };
const WHY = {
  already_asked: "everybody of it was asked already", absent: "everybody of it was away", nobody: "nobody holds the role",
  deactivated: "the account is deactivated", undeliverable: "Slack could not deliver", conflicted: "it is their own request",
  passed_by: "a later step came first", overdue: "a reminder that was due while the bot was down", nobody_left: "nobody was left to remind",
};

function person(ref) {
  const known = log.people.get(ref);
  if (!known) return ref ? `${ref.slice(0, 12)}… (erased)` : "somebody";
  const name = log.names.get(known.split("/")[1]);
  return name ? `${name} (${known})` : known;
}
const people = (refs) => (refs ?? []).map(person).join(", ") || "nobody";
const rows = (data) => `${data.rows.length} ${data.rows.length === 1 ? "row" : "rows"} (${data.rows.map((one) => one.row).join(", ")})`;
// Which right of a review an entry is about, or whose.
const right = (data) => (data.item === "person" ? `the right of ${person(data.of)} to ask` : `the right ${data.of} (${RIGHTS[data.item] ?? data.item})`) +
  (data.domains?.length ? ` in ${data.domains.join(", ")}` : "");
const role = (name) => ROLES[name] ?? name ?? "";
function actor(entry) {
  const kind = entry.actor?.kind;
  return kind === "person" ? person(entry.actor.ref) : { clock: "The clock", system: "Countersign", operator: "The operator on the host" }[kind] ?? kind;
}
function span(ms) {
  if (!(ms >= 0)) return "";
  const parts = [[86400e3, "d"], [3600e3, "h"], [60e3, "min"], [1e3, "s"]];
  const k = Math.max(0, parts.findIndex(([unit]) => ms >= unit)), [unit, name] = ms < 1e3 ? parts[3] : parts[k];
  const [next, nextName] = (ms < 1e3 ? undefined : parts[k + 1]) ?? [];
  const rest = next ? Math.floor((ms % unit) / next) : 0;
  return `${Math.floor(ms / unit)} ${name}${rest ? ` ${rest} ${nextName}` : ""}`;
}
const behalfOf = (entry) => (entry.data?.role === "risk_owner" ? "" : entry.on_behalf_of);
const moment = (ts) => ts.replace("T", " ").replace(/\.\d+Z$/, " UTC");

const early = (entry) => Boolean(entry.data?.not_after) && entry.ts < entry.data.not_after; // the clock ended it before its time

function sentence(entry) {
  const data = entry.data ?? {}, who = actor(entry);
  const behalf = behalfOf(entry) ? ` on behalf of ${person(entry.on_behalf_of)}` : "";
  const as = data.role ? ` as ${role(data.role)}` : "";
  const until = data.not_after ? `, until ${moment(data.not_after)}` : "";
  switch (entry.type) {
    case "request.filed": return `${data.for ? `The host's operator, for ${person(data.for)} of ${data.provider},` : `${who} of ${entry.actor?.party}`} asked for ${span(data.seconds * 1000)} under ${entry.runbook?.id}; an answer was due by ${moment(data.expires_at ?? "")}`;
    case "request.refused": return `The request of ${who} was refused at filing: ${data.reason_code}`;
    case "request.approved": return `${who} said yes${as}${behalf} (${data.have} of ${data.need}), for ${span(data.seconds * 1000)}${data.signed ? ", signed with a passkey" : ""}${data.account ? "; Slack could not confirm the account" : ""}`;
    case "request.denied": return `${who} said no${as}${behalf}`;
    case "request.withdrawn": return `${who} withdrew it`;
    case "request.expired": return data.reason ? `It expired before its time: ${data.reason}` : `Nobody answered in time. Asked: ${people(data.asked)}; Slack accepted ${data.delivered} cards`;
    case "step.fired": return { remind: `Reminded ${role(data.role)}: ${people(data.to)}`, stand_in: `An absence put it to ${people(data.to)}` }[data.action] ?? `Asked ${role(data.role)}: ${people(data.to)}`;
    case "step.skipped": return `Step ${data.step + 1} (${role(data.role)}) was skipped: ${WHY[data.why] ?? data.why}`;
    case "decision.refused": return `A click of ${who} (${data.action}) did not count: ${data.why}`;
    case "grant.opened": return `The approval opened${until}`;
    case "grant.finished": return `${who} reported it finished`;
    case "grant.lapsed": return early(entry) ? "The approval ended before its time: the provider was suspended, or its contract ended" : "The time ran out; the approval ended";
    case "grant.revoked": return `${who} revoked it`;
    case "exception.opened": return `The exception holds until ${moment(data.until ?? "")}`;
    case "exception.renewed": return `Renewed until ${moment(data.until ?? "")}`;
    case "exception.ended": return { finished: `${who} reported the exception finished`, unused: `${who} reported it not used`, revoked: `${who} revoked the exception` }[data.how] ?? (early(entry) ? "The exception ended before its date: the provider was suspended, or its contract ended" : "The date came; the exception ended");
    case "renewal.asked": return `${who} asked for it until ${moment(data.until ?? "")}`;
    case "sealed_use.recorded": return `${who} recorded a use of the sealed path, without approval, of ${moment(data.at ?? "")}`;
    case "finding.filed": return `${who} reported a finding, noticed at ${moment(data.noticed_at ?? "")}${data.late ? "; reported late" : ""}${data.source ? `; access without a grant in the list of ${data.source}` : ""}`;
    case "finding.joined": return data.source ? `The list of ${data.source} showed it again` : `${who} reported the same again`;
    case "finding.acknowledged": return `${who} acknowledged it${as}${behalf}`;
    case "finding.shared": return `${who} shared it with the provider's leads`;
    case "finding.corrected": return `${who} corrected when it was noticed: ${moment(data.noticed_at ?? "")}${data.late ? "; reported late" : ""}`;
    case "finding.closed": return `${who} closed it${data.outcome ? `: ${data.outcome.replaceAll("_", " ")}` : ""}`;
    case "reconciliation.recorded": return `${who} compared the list of ${data.source} as of ${moment(data.as_of ?? "")} with the grants: ${data.access_without_grant} accesses without a grant, ${data.grant_without_access} grants without access`;
    case "matrix.confirmed": return `${who} confirmed ${rows(data)} of the responsibility matrix`;
    case "matrix.acknowledged": return `${who} acknowledged ${rows(data)} of the responsibility matrix`;
    case "matrix.disputed": return `${who} disputed ${rows(data)} of the responsibility matrix${as}`;
    case "matrix.overdue": return `${person(data.asked)} has not confirmed ${rows(data)} of the responsibility matrix in time`;
    case "domain.handed_over": return `The domain ${data.domain} went from ${data.from ? person(data.from) : "nobody"} to ${person(data.to)} on its date; ${data.asks.length} open questions went over`;
    case "domain.vacant": return `Nobody owns the domain ${data.domain} any more; ${person(data.to)} answers as risk owner`;
    case "request.pushed": return `${who} escalated it at once`;
    case "request.passed": return `${who} passed: cannot decide this now`;
    case "request.held": return `${who} is on it; the next steps wait`;
    case "request.asked": return `${who} asked a question`;
    case "request.answered": return `${who} answered`;
    case "request.recommended": return `${who} advises ${data.advice}`;
    case "breakglass.opened": return `Opened before a yes (break-glass)${until}`;
    case "breakglass.ratified": return `${who} ratified it${behalf}`;
    case "breakglass.unratified": return "Nobody ratified it in time: used without approval";
    case "permit.issued": return `A permit for ${data.aud} was given to ${entry.actor?.kind === "system" ? "the executor" : who}, good until ${moment(data.exp ?? "")}`;
    case "executor.opened": return "The system confirmed that access is open";
    case "executor.closed": return "The system confirmed that access is closed";
    case "executor.failed": return data.name === "grant.close" ? "The system did not close the access" : "The system could not open the access";
    case "delivery.failed": return `A message (${data.purpose}) could not be delivered to ${data.to ? person(data.to) : data.channel}: ${data.error}`;
    case "campaign.opened": return `The review of ${person(data.owner)} opened: ${data.items.length} rights, ${data.window} working days; silence ${data.silence}s`;
    case "campaign.closed": return `The review closed: ${["kept", "narrowed", "withdrawn"].map((word) => `${data[word]} ${word}`).join(", ")}, ${data.silent} narrowed by silence, ${data.unanswered} unanswered`;
    case "roster.attested": return `${who} of ${data.provider} confirmed who may ask: ${people(data.people)}; no longer theirs: ${people(data.gone)}`;
    case "right.kept": if (data.item) return `${who} kept ${right(data)}${as}${behalf}${data.lifts ? "; a silence had narrowed it" : ""}`; break;
    case "right.withdrawn": if (data.item) return `${who} withdrew ${right(data)}${as}${behalf}`; break;
    case "right.narrowed": return data.by === "silence"
      ? `Silence narrowed ${right(data)}: in ${data.counted} working days no answer from ${people(data.of_whom)}` : `${who} narrowed ${right(data)}${as}${behalf}`;
    case "delivery.sent": return delivered(entry.group ?? [entry]);
  }
  return WORDS[entry.type] ? `${WORDS[entry.type].replace("{who}", who)}${as}${behalf}` : `${entry.type} by ${who}${as}${behalf}`;
}
const ESCALATES = (entry) => entry.type === "request.pushed" || entry.type === "request.passed" || entry.type === "step.skipped" ||
  (entry.type === "step.fired" && entry.data?.step > 0 && entry.data?.action !== "remind");

// ── cases ──

// Long work is done in pieces, so that the page answers in between.
const breath = () => new Promise((go) => setTimeout(go));
async function inPieces(items, size, work) {
  for (let at = 0; at < items.length; at += size) {
    for (const item of items.slice(at, at + size)) work(item);
    await breath();
  }
}

async function gather() {
  const byId = new Map(), said = new Map();
  await inPieces(log.disclosures, 5000, (line) => {
    if (!said.has(line.i)) said.set(line.i, []);
    said.get(line.i).push(line);
  });
  await inPieces(log.entries, 2000, (entry) => {
    const id = entry?.case ?? (REVIEW.has(entry?.type) ? entry.data?.id : undefined);
    if (!id) return;
    if (!byId.has(id)) byId.set(id, { id, entries: [], who: new Set(), state: entry.case ? "pending" : "open review" });
    const found = byId.get(id);
    found.entries.push(entry);
    if (["request.filed", "request.refused", "sealed_use.recorded", "finding.filed"].includes(entry.type)) found.filed = entry;
    if (STATES[entry.type]) { found.state = STATES[entry.type]; found.outcome ??= entry; }
    const { to, asked, owner, of, of_whom, people, gone } = entry.data ?? {};
    for (const ref of [entry.actor?.ref, entry.on_behalf_of, ...(to ?? []), ...(asked ?? []), owner, of, of_whom, people, gone].flat())
      if (typeof ref === "string" && ref.startsWith("sub_")) found.who.add(ref);
  });
  await inPieces([...byId.values()], 500, (found) => {
    const first = found.filed ?? found.entries[0], data = first.data ?? {};
    Object.assign(found, {
      at: first.ts, runbook: first.runbook?.id ?? (data.items ? "review of rights" : ""), domain: data.domain ?? data.domains?.join(", ") ?? "", provider: data.provider ?? first.actor?.party ?? "",
      requester: first.actor?.ref ?? data.for ?? data.owner, took: found.outcome ? Date.parse(found.outcome.ts) - Date.parse(first.ts) : NaN,
      decided: found.entries.filter((e) => e.type === "request.approved" || e.type === "request.denied" || e.data?.by === "answer"),
      escalations: found.entries.filter(ESCALATES), said,
    });
  });
  return [...byId.values()].reverse();
}

function choices(id, values) {
  const select = $(id), kept = select.value;
  const named = [...new Map(values.filter(([value]) => value)).entries()].sort((a, b) => a[1].localeCompare(b[1]));
  select.replaceChildren(element("option", { value: "" }, "any"), ...named.map(([value, label]) => element("option", { value }, label)));
  select.value = kept;
}
function fillFilters() {
  for (const key of ["state", "provider", "domain", "runbook"]) choices(`f-${key}`, cases.map((c) => [c[key], c[key]]));
  choices("f-person", [...new Set(cases.flatMap((c) => [...c.who]))].map((ref) => [ref, person(ref)]));
}
function matching() {
  const want = (key) => $(`f-${key}`).value;
  return cases.filter((c) =>
    ["state", "provider", "domain", "runbook"].every((key) => !want(key) || c[key] === want(key)) &&
    (!want("person") || c.who.has(want("person"))) &&
    (!want("from") || c.at.slice(0, 10) >= want("from")) && (!want("to") || c.at.slice(0, 10) <= want("to")) &&
    (!want("id") || c.id.includes(want("id").trim().toUpperCase())));
}

function drawCases() {
  chosen = matching();
  $("count").textContent = `${chosen.length} of ${cases.length} cases`;
  $("cases").replaceChildren();
  drawMore();
}
function drawMore() {
  const drawn = $("cases").childElementCount;
  $("cases").append(...chosen.slice(drawn, drawn + MORE).map(drawCase));
  $("more").hidden = chosen.length <= drawn + MORE;
}
function drawCase(found) {
  const deciders = found.decided.map((e) => person(e.actor.ref) + (behalfOf(e) ? ` for ${person(e.on_behalf_of)}` : ""));
  const facts = [
    ["Asked", [person(found.requester), found.provider].filter(Boolean).join(", ")], ["Decided", [...new Set(deciders)].join("; ") || "by nobody"],
    ["Took", found.outcome ? span(found.took) : "still open"],
    ["Escalated", found.escalations.length ? `${found.escalations.length}×` : "no"],
  ];
  const details = element("details", { "data-case": found.id },
    element("summary", {},
      element("span", { class: "id" }, found.id), element("span", { class: `state ${found.state.split(" ")[0]}` }, found.state),
      element("span", { class: "what" }, found.runbook), element("span", { class: "when" }, moment(found.at))),
    element("dl", { class: "facts" }, ...facts.map(([name, value]) => element("div", {}, element("dt", {}, name), element("dd", {}, value)))));
  details.addEventListener("toggle", () => { if (details.open && !details.dataset.drawn) drawTimeline(details, found); });
  return details;
}
function drawTimeline(details, found) {
  details.dataset.drawn = "yes";
  const start = Date.parse(found.at);
  const print = element("button", { type: "button", class: "print" }, "Print this request");
  print.addEventListener("click", () => printOnly(details));
  details.append(print, element("ol", { class: "timeline" }, ...folded(found.entries).map((entry) => element("li", { class: ESCALATES(entry) ? "escalates" : undefined },
    element("div", { class: "time" }, moment(entry.ts), element("span", {}, ` +${span(Date.parse(entry.ts) - start)}`)),
    element("div", {}, sentence(entry), ...spoken(entry, found.said)),
    element("div", { class: "index" }, `entry ${entry.i}`)))));
}
// Deliveries that follow each other are one line: how many messages, and how long they took.
function folded(entries) {
  const lines = [];
  for (const entry of entries) {
    const last = lines.at(-1);
    if (entry.type !== "delivery.sent") lines.push(entry);
    else if (last?.type === "delivery.sent") last.group.push(entry);
    else lines.push({ ...entry, group: [entry] });
  }
  return lines;
}
function delivered(group) {
  const to = new Set(group.map((entry) => entry.data?.to ?? entry.data?.channel)), last = group.at(-1);
  const seconds = ((Date.parse(last.ts) - Date.parse(group[0].ts)) / 1000).toFixed(1);
  return `Told ${to.size} ${to.size === 1 ? "person or channel" : "people and channels"}, ${seconds} s`;
}
function printOnly(details) {
  details.classList.add("printed");
  document.body.classList.add("printing");
  print();
  details.classList.remove("printed");
  document.body.classList.remove("printing");
}
function spoken(entry, said) {
  return (said.get(entry.i) ?? []).filter((line) => line.name !== "person")
    .map((line) => element("blockquote", {}, element("b", {}, line.name.replace(/^field\./, "") + ": "), typeof line.value === "string" ? line.value : JSON.stringify(line.value)));
}

// ── opening and checking ──

async function fromDrop(items) {
  const files = new Map();
  const walk = async (entry, path) => {
    if (entry.isFile) { files.set(path, await new Promise((yes, no) => entry.file(yes, no))); return; }
    const reader = entry.createReader();
    for (;;) {
      const part = await new Promise((yes, no) => reader.readEntries(yes, no));
      if (part.length === 0) return;
      for (const child of part) await walk(child, path ? `${path}/${child.name}` : child.name);
    }
  };
  for (const entry of [...items].map((item) => item.webkitGetAsEntry()).filter(Boolean))
    await walk(entry, items.length > 1 ? entry.name : entry.isFile ? entry.name : "");
  return files;
}
const fromInput = (list) => new Map([...list].map((file) => [file.webkitRelativePath.split("/").slice(1).join("/"), file]));

let openings = 0; // a folder that is picked while another is read takes its place

// A log that a worker reads and checks; what this page shows of it comes over in parts.
class Remote {
  constructor(worker, given) {
    Object.assign(this, { worker, given, entries: [], disclosures: [] });
  }
  ask(what, more, progress) {
    return new Promise((yes, no) => {
      this.worker.onerror = () => no(new Error("the worker could not start"));
      this.worker.onmessage = ({ data }) => {
        if (data.progress) progress(...data.progress);
        else if (data.part) this[data.name].push(...data.part);
        else if (data.failed !== undefined) no(new Damaged(data.failed));
        else yes(data.done);
      };
      this.worker.postMessage({ what, ...more });
    });
  }
  async open(progress) {
    for (const [path, parts] of this.given.pieces ?? [])
      for (const part of parts) { this.worker.postMessage({ what: "piece", path, text: part.textContent }); await breath(); }
    const told = await this.ask("open", { files: this.given.files }, progress);
    return Object.assign(this, told, { files: told.paths });
  }
  verify(trusted, progress) { return this.ask("verify", { trusted }, progress); }
}
const texts = (pieces) => new Map([...pieces].map(([path, parts]) => [path, parts.map((part) => part.textContent)]));
// A worker where the browser allows one to a page from disk; else the page does the work itself.
function reading(given) {
  try {
    const code = [...document.querySelectorAll("script.checks")].map((script) => script.textContent);
    return new Remote(new Worker(URL.createObjectURL(new Blob(code, { type: "text/javascript" }))), given);
  } catch {
    return new Log(given.files ?? filesOf(texts(given.pieces)), !given.files);
  }
}
async function read(given, progress) {
  const first = reading(given);
  try {
    return await first.open(progress);
  } catch (error) {
    if (!(first instanceof Remote) || !/worker/.test(error.message)) throw error;
    return new Log(given.files ?? filesOf(texts(given.pieces)), !given.files).open(progress);
  }
}

async function opened(given) {
  const mine = ++openings, paths = given.files ?? given.pieces;
  $("result").hidden = $("log").hidden = true;
  if (!globalThis.crypto?.subtle) return say("This browser gives pages from disk no cryptography. Open the page in another one, or check by hand as VERIFY.md says.");
  if (!paths.has("checkpoint")) return say("There is no file “checkpoint” in that folder. Pick the folder of the export itself, the one that this page lies in.");
  try {
    const whole = await read(given, (done, all) => mine === openings && say(`Reading ${done} of ${all} entries…`));
    if (mine !== openings) return;
    log?.worker?.terminate();
    log = whole;
  } catch (error) {
    return mine === openings && say(`The export cannot be read: ${error.message}.`);
  }
  cases = await gather();
  if (mine !== openings) return;
  $("origin").textContent = log.isCase ? `${log.note.origin}: ${log.entries.length} entries of ${ofRequests(log)}` : `${log.note.origin}: ${log.note.size} entries`;
  fillFilters(); drawCases();
  $("log").hidden = false;
  say("Opened, not yet checked. Press Verify.");
  $("verify").disabled = false;
  if (location.hash) { $("f-id").value = decodeURIComponent(location.hash.slice(1)); drawCases(); }
  return true;
}

// "one request", or how many and by what they were chosen.
function ofRequests(log) {
  const ids = new Set(log.entries.map((entry) => entry?.case).filter(Boolean));
  return ids.size === 1 && !log.files.has("selection.json") ? "one request" : `${ids.size} ${ids.size === 1 ? "request" : "requests"}, a selection`;
}

// The files that lie inside this page, each in one or more elements of base64, which go once they are read.
function embedded() {
  const pieces = new Map();
  for (const piece of document.querySelectorAll("script[data-path]")) {
    if (!pieces.has(piece.dataset.path)) pieces.set(piece.dataset.path, []);
    pieces.get(piece.dataset.path).push(piece);
  }
  return pieces;
}
async function openEmbedded() {
  const pieces = embedded();
  if (pieces.size === 0) return;
  $("choose").hidden = true;
  if (await opened({ pieces })) await verify();
  await inPieces([...pieces.values()].flat(), 1, (piece) => piece.remove());
}

async function verify() {
  const checked = log, mine = openings, wanted = () => checked === log && mine === openings;
  const drawn = (result) => { if (wanted()) drawResult(result); };
  $("verify").disabled = $("result").hidden = true;
  try {
    drawn(await checked.verify($("trusted").value.trim(), (done, all) => wanted() && say(`Checking ${done} of ${all} entries…`)));
  } catch (error) {
    drawn({ findings: [{ code: "file", i: null, text: `${error.message}.` }], signature: "bad" });
  }
  $("verify").disabled = false;
}
// Findings against what people decided, or against the policy: they say nothing about altered bytes.
const JUDGED = new Set(["unsigned", "assertion", "unendorsed", "delay", "policy", "party"]);
const FIRST = {
  unendorsed: "The signing keys were changed, and nobody endorsed it. Whoever made the change may have signed with a key of their own: ask the owners whether they knew of it.",
  delay: "Something counted before its time: a change of the policy allowed it, and that change did not count yet.",
};
const first = (codes) => Object.keys(FIRST).filter((code) => codes.has(code));
function inOrder(findings) {
  const rank = ({ code }) => (code in FIRST ? Object.keys(FIRST).indexOf(code) : 2);
  return [...findings].sort((a, b) => rank(a) - rank(b));
}

// What only the program itself judges: it needs every rule of the policy, which this page does not read.
function notJudged() {
  const code = (text) => element("code", {}, text);
  return element("p", { id: "not-judged", class: "soft" },
    "Not judged on this page: a signature that only an earlier set of the policy, or an operator's act, still demanded (", code("unsigned"), "), a change of the signing keys that names somebody new under a signed runbook, or was endorsed for some of its domains only (",
    code("unendorsed"), "), an answer that a change of the policy allowed too early (", code("delay"), "), and the policy's other rules (", code("policy"), ", ", code("party"),
    "). What the program that made this export found of them stands in the list, marked as its own word. Run ", code("countersign log verify --export FOLDER"), " for these findings.");
}

function drawResult(result) {
  const good = result.findings.length === 0, lines = [];
  if (good && log.isCase) lines.push(`${log.entries.length} entries of ${ofRequests(log)}, each proven to be in the log of ${result.size} entries with the root ${result.root}. Whether more came later, only the full export shows.`);
  else if (good) lines.push(`${result.size} entries, every byte hashed again: they lead to the root ${result.root}, and ${result.checkpoints} checkpoints agree.`);
  if (result.signature === "good") lines.push(result.ownKey
    ? "The signature is good, but only by the key that lies in the export itself. Whoever made the export could have made that key: paste the one that you got from elsewhere into the field above, and press Verify."
    : "The signature is good, by the key that you gave.");
  if (result.signature === "unknown") lines.push("This browser cannot check Ed25519 signatures; the hashes were checked. Check the signature with openssl as VERIFY.md says, or open the page in a newer browser.");
  if (result.signed?.proven) lines.push(`${result.signed.proven} answers were signed with passkeys, and each signature holds under a key of the policy that it names. The first set with keys is the exporter's own word, unless you have its digest from elsewhere.`);
  if (result.signed?.unproven) lines.push(`${result.signed.unproven} signed answers have lost their signature and prove nothing by it.`);
  if (result.strangers?.length) lines.push(`No part of an export, and not read: ${result.strangers.slice(0, 10).join(", ")}${result.strangers.length > 10 ? ` and ${result.strangers.length - 10} more` : ""}.`);
  const sure = result.signature === "good" && !result.ownKey;
  const consistent = result.ownKey && result.signature === "good" ? "The export agrees with itself; its key is unchecked" : "The hashes agree; the signature is unchecked";
  const whole = result.findings.every(({ code, altered }) => JUDGED.has(code) && !altered);
  const title = good ? (sure ? "Nothing was altered" : consistent) : whole ? "The bytes agree, and there are findings" : "This export was altered";
  $("result").className = good ? (sure ? "good" : "unsure") : "bad";
  const said = (f) => element("li", {}, element("code", {}, f.code), " ", f.text, f.stated ? element("span", { class: "soft" }, " (the word of whoever made this export)") : "");
  $("result").replaceChildren(element("h2", {}, title), ...first(new Set(result.findings.map(({ code }) => code))).map((code) => element("p", { class: "first" }, FIRST[code])),
    ...lines.map((line) => element("p", {}, line)), element("ul", {}, ...inOrder(result.findings).slice(0, 100).map(said)),
    result.findings.length > 100 ? element("p", {}, `… and ${result.findings.length - 100} more.`) : "", notJudged());
  $("result").hidden = false;
  say(good ? "Checked." : `Checked: ${result.findings.length} findings.`);
  $("result").focus();
}

$("folder").addEventListener("change", (event) => opened({ files: fromInput(event.target.files) }));
$("verify").addEventListener("click", verify);
$("more").addEventListener("click", drawMore);
$("filters").addEventListener("input", drawCases);
$("filters").addEventListener("reset", () => setTimeout(drawCases));
document.addEventListener("dragover", (event) => { event.preventDefault(); document.body.classList.add("over"); });
document.addEventListener("dragleave", () => document.body.classList.remove("over"));
document.addEventListener("drop", async (event) => {
  event.preventDefault();
  document.body.classList.remove("over");
  opened({ files: await fromDrop(event.dataTransfer.items) });
});
openEmbedded();
