// Writes the JSON Schemas of slack_types.ts: node generate.mjs FOLDER. Two files, each with a definition for each name.
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { createGenerator } from "ts-json-schema-generator";

const here = dirname(fileURLToPath(import.meta.url));
const calls = [
  "apps_connections_open", "auth_test", "blocks_validate", "chat_getPermalink", "chat_postEphemeral", "chat_postMessage", "chat_update", "conversations_history", "conversations_info",
  "conversations_members", "conversations_replies", "dnd_info", "users_info", "views_open", "views_publish", "views_push", "views_update",
  "block", "modal", "home",
];
const payloads = [
  "slash_command", "button_pressed", "option_chosen", "view_submission", "view_closed", "shortcut", "message_event", "home_event",
];

function write(folder, file, names, additionalProperties) {
  const generator = createGenerator({
    path: join(here, "slack_types.ts"), tsconfig: join(here, "tsconfig.json"), type: "*", skipTypeCheck: true, topRef: true,
    jsDoc: "none", expose: "all", sortProps: true, additionalProperties,
  });
  const definitions = {};
  for (const name of names) Object.assign(definitions, generator.createSchema(name).definitions);
  const sorted = Object.fromEntries(Object.entries(placeless(definitions)).sort(([a], [b]) => (a < b ? -1 : 1)));
  writeFileSync(join(folder, file), `${JSON.stringify({ $schema: "http://json-schema.org/draft-07/schema#", definitions: sorted }, null, 1)}\n`);
}

// Types without a name are called after a hash of their file's path: the order of their appearance is the same everywhere.
function placeless(definitions) {
  const seen = new Map();
  const number = (hash) => seen.get(hash) ?? (seen.set(hash, `${seen.size + 1}`), seen.get(hash));
  return JSON.parse(JSON.stringify(definitions).replace(/(?<=(?:interface|structure|alias|class)-)\d{6,}|(?<=-)\d{6,}(?=-\d+-\d+)/g, number));
}

const folder = process.argv[2];
mkdirSync(folder, { recursive: true });
write(folder, "calls.json", calls, false); // we send no key that Slack's types do not know
write(folder, "payloads.json", payloads, true); // Slack adds keys to what it sends
