// Changes of the signing keys that nobody endorsed, judged from the policy sets in an export: a passkey added, the key `signing` changed, a
// weaker signature. An endorsement counts if its signature holds under a key of the set before, of somebody who gains nothing by the change.

const STRENGTH = ["none", "required", "device_bound"];
const USUAL = { when_slack_is_down: "nobody", operator_acts: "none", unendorsed_delay: "72h" };
const MINUTES = { m: 1, h: 60, d: 1440 };

// The pairs of the key `signing`, in one form whatever their order, quotes and comments; "" in a set without it.
function signingOf(matrix) {
  const block = /^signing:(.*(?:\n[ \t]+.*)*)/m.exec(matrix)?.[1].replace(/\s#.*$/gm, "");
  if (block === undefined) return "";
  const found = [...block.matchAll(/(\w+):\s*(?:"([^"]*)"|'([^']*)'|([^\s,}\]{[]+))/g)].map(([, name, a, b, c]) => [name, a ?? b ?? c]);
  const usual = Object.entries(USUAL).filter(([name]) => !found.some(([known]) => known === name));
  const plain = (value) => value.replace(/^(\d+)([mhd])$/, (_, number, unit) => `${number * MINUTES[unit]}m`);
  return [...found, ...usual].map(([name, value]) => `${name}=${plain(value)}`).sort().join(" ");
}

async function keySet(log, digest) {
  const file = log.files.get(`policy/${digest}/responsibility.yaml`);
  if (!file) return null;
  const text_ = await file.text();
  return { digest, text: text_, keys: passkeysOf(text_), signing: signingOf(text_), demands: await signaturesOf(log, digest) };
}

// What a change gives, in words, and to whom.
function keyChange(old, set) {
  if (!old.signing) return null; // the first set with keys counts at once; an auditor pins it
  const words = [], gainers = new Set();
  for (const [id, key] of set.keys) {
    const was = old.keys.get(id);
    if (was && ["key", "rp", "synced", "person"].every((part) => was[part] === key[part])) continue;
    words.push(`${key.person} gets a passkey (${id.slice(0, 12)}…)`);
    gainers.add(key.person);
  }
  if (old.signing !== set.signing) words.push("the key `signing` changes");
  for (const [id, strength] of old.demands)
    if (set.demands.has(id) && STRENGTH.indexOf(set.demands.get(id)) < STRENGTH.indexOf(strength)) words.push(`${id} takes a weaker signature (${set.demands.get(id)}, before: ${strength})`);
  return words.length ? { old, set, words, gainers } : null;
}

async function checkEndorsed(log, report) {
  const shown = new Map(log.disclosures.filter((d) => d.name === "signature").map((d) => [d.i, d.value])), changes = [];
  let old = null;
  for (const entry of log.entries) {
    if (entry?.type === "policy.loaded" && entry.policy?.sha256 !== old?.digest) {
      const set = await keySet(log, entry.policy?.sha256), change = old && set && keyChange(old, set);
      if (change) changes.push({ ...change, i: entry.i });
      old = set ?? old;
    }
    if (entry?.type !== "policy.endorsed" || !shown.has(entry.i) || !old) continue;
    const change = changes.findLast(({ old: from, set }) => from.digest === entry.data?.from && set.digest === entry.data?.to);
    const key = change?.old.keys.get(shown.get(entry.i).credential);
    if (key && !change.gainers.has(key.person) && !(await signatureFaults(entry, shown.get(entry.i), old)).length) change.endorsed = true;
  }
  for (const { i, words, endorsed } of changes) if (!endorsed) report("unendorsed", i, `Entry ${i} (policy.loaded): ${words.join("; ")}, and nobody endorsed it.`);
}
