// Signed decisions in an export, checked with WebCrypto: whether a passkey that the policy names signed the statement, and whether
// the statement says what the entry says. Erased signatures prove nothing and are counted. W3C WebAuthn Level 3, 7.2.

const PRESENT = 1, VERIFIED = 4, ELIGIBLE = 8;
const YES = { "request.approved": ["approve", "extend", "renew"], "breakglass.ratified": ["ratify"], "authority.restored": ["restore"], "right.kept": ["keep"] };

// The passkeys of a responsibility matrix by credential id: {key, rp, synced, person}. Read by patterns; the log's own check parses it.
function passkeysOf(matrix) {
  const found = new Map();
  for (const [, person, line] of matrix.matchAll(/^ {2}\S+:\s*(?:\{\s*|\n\s+)id:\s*["']?(\S+?)["']?(?:,|\n)([^]*?)(?=^ {0,2}\S|(?![^]))/gm))
    for (const [, id, rest] of line.matchAll(/\bid:\s*["']?([\w-]+)["']?((?:(?!\bid:)[^])*)/g)) {
      const part = (name) => new RegExp(`\\b${name}:\\s*["']?([^,}"'\\s]+)`).exec(rest)?.[1];
      if (part("key")) found.set(id, { key: part("key"), rp: part("rp"), synced: part("synced") === "true", person });
    }
  return found;
}

// ECDSA signatures of authenticators are DER; WebCrypto wants r ‖ s of 32 bytes each.
function rawSignature(der) {
  const parts = [];
  for (let at = 2; parts.length < 2; ) {
    const length = der[at + 1], number = der.subarray(at + 2, at + 2 + length);
    const padded = new Uint8Array(32), bare = number[0] === 0 ? number.subarray(1) : number;
    padded.set(bare, 32 - bare.length);
    parts.push(padded);
    at += 2 + length;
  }
  return Uint8Array.of(...parts[0], ...parts[1]);
}

const ALGORITHMS = [
  { import: { name: "ECDSA", namedCurve: "P-256" }, verify: { name: "ECDSA", hash: "SHA-256" }, signature: rawSignature },
  { import: { name: "RSASSA-PKCS1-v1_5", hash: "SHA-256" }, verify: { name: "RSASSA-PKCS1-v1_5" }, signature: (bytes) => bytes },
  { import: { name: "Ed25519" }, verify: { name: "Ed25519" }, signature: (bytes) => bytes },
];

async function holds(spki, message, signature) {
  for (const algorithm of ALGORITHMS) {
    let key;
    try {
      key = await crypto.subtle.importKey("spki", spki, algorithm.import, false, ["verify"]);
    } catch { continue; }
    try {
      return await crypto.subtle.verify(algorithm.verify, key, algorithm.signature(signature), message);
    } catch { return false; }
  }
  return false;
}

// What speaks against one signed entry, as sentences.
async function signatureFaults(entry, shown, policy) {
  const data = fromBase64(shown.statement), client = fromBase64(shown.client_data), about = fromBase64(shown.authenticator_data);
  const statement = parsed(data), told = parsed(client), faults = [];
  if (!statement || !told) return ["its signature cannot be read"];
  if (hex(await sha256(data)) !== entry.data.statement) faults.push("the statement that is disclosed is not the one whose digest the entry has");
  if (told.type !== "webauthn.get" || told.challenge !== base64url(await sha256(data))) faults.push("the passkey signed something else");
  if ((told.crossOrigin ?? false) !== false || "topOrigin" in told) faults.push("it was signed inside another page");
  const origins = [...policy.text.matchAll(/\borigin:\s*["']?([^,}"'\s]+)/g)].map(([, origin]) => origin);
  if (!origins.includes(told.origin)) faults.push(`it was signed at ${told.origin}`);
  if (statement.log !== entry.log || (statement.signer && statement.signer !== entry.actor?.ref)) faults.push("the statement is of another log or person");
  if (YES[entry.type] && (!YES[entry.type].includes(statement.verdict) || statement.case !== entry.case)) faults.push("the statement decides something else");
  if (YES[entry.type] && (statement.policy !== entry.policy?.sha256 || statement.runbook !== entry.runbook?.sha256)) faults.push("the statement names other files");
  for (const name of ["seconds", "until", "need", "role"])
    if (entry.type === "request.approved" && name in statement && !(name === "seconds" && "until" in statement) && statement[name] !== entry.data[name])
      faults.push(`the statement says ${name} ${statement[name]}, the entry ${entry.data[name]}`);
  const key = policy.keys.get(shown.credential);
  if (!key) return [...faults, "the key is not in the policy"];
  if (!same(about.subarray(0, 32), await sha256(new TextEncoder().encode(key.rp)))) faults.push("the key is of another address");
  if (!(about[32] & PRESENT) || !(about[32] & VERIFIED)) faults.push("nobody was present, or verified");
  if (Boolean(about[32] & ELIGIBLE) !== key.synced) faults.push("the key says something else about being synced than the policy");
  const message = Uint8Array.of(...about, ...(await sha256(client)));
  if (!(await holds(fromBase64(key.key), message, fromBase64(shown.signature)))) faults.push("the signature does not match the key in the policy");
  return faults;
}

// What each runbook of a set demands, by id; of a set that is not in the export nothing.
async function signaturesOf(log, digest) {
  const found = new Map(), folder = `policy/${digest}/`;
  for (const [path, file] of log.files) {
    if (!path.startsWith(folder) || !/^[^/]+\.md$/.test(path.slice(folder.length))) continue;
    const head = /^---\r?\n([^]*?)\n---/.exec(await file.text())?.[1] ?? "";
    const part = (name) => new RegExp(`^${name}:\\s*["']?([\\w-]+)`, "m").exec(head)?.[1];
    if (part("id")) found.set(part("id"), part("signature") ?? "none");
  }
  return found;
}

// Reports every yes without the signature that its runbook demanded when it was given, or when the case began.
async function checkUnsigned(log, report) {
  const sets = new Map(), cases = new Set(), begun = new Set();
  const demands = async (entry) => {
    const digest = entry.policy?.sha256;
    if (!sets.has(digest)) sets.set(digest, await signaturesOf(log, digest));
    return (sets.get(digest).get(entry.runbook?.id) ?? "none") !== "none";
  };
  for (const entry of log.entries) {
    if (!entry?.case) continue;
    if (!begun.has(entry.case) && (await demands(entry))) cases.add(entry.case);
    begun.add(entry.case);
    if (!YES[entry.type] || entry.data?.signed === true) continue;
    if (cases.has(entry.case) || (await demands(entry)))
      report("unsigned", entry.i, `Entry ${entry.i} (${entry.type}): it has no signature, which the runbook ${entry.runbook?.id} demands.`);
  }
}

// Judges every signed entry of a log; gives how many were proven, and how many have lost their signature.
async function checkSigned(log, report) {
  await checkUnsigned(log, report);
  const shown = new Map(log.disclosures.filter((d) => d.name === "signature").map((d) => [d.i, d.value])), sets = new Map();
  const counts = { proven: 0, unproven: 0 };
  let newest = "";
  for (const entry of log.entries) {
    if (entry?.type === "policy.loaded") newest = entry.policy?.sha256 ?? "";
    if (entry?.data?.signed !== true) continue;
    const value = shown.get(entry.i), digest = entry.policy?.sha256;
    if (!value) { counts.unproven++; continue; }
    if (!sets.has(digest)) {
      const text_ = await log.files.get(`policy/${digest}/responsibility.yaml`)?.text();
      sets.set(digest, text_ === undefined ? null : { text: text_, keys: passkeysOf(text_) });
    }
    const policy = sets.get(digest), faults = policy ? await signatureFaults(entry, value, policy) : ["its policy is missing"];
    if (newest && digest !== newest) faults.push("the set that it names is not the newest one that was loaded before");
    for (const fault of faults) report("assertion", entry.i, `Entry ${entry.i} (${entry.type}): ${fault}.`);
    if (!faults.length) counts.proven++;
  }
  return counts;
}
