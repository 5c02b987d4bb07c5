-- Decisions signed with a passkey (bot/domain/signing/decision.py).
ALTER TABLE vote ADD COLUMN credential TEXT NOT NULL DEFAULT '';

-- Links to the page: each belongs to a person and one version of a question, and lets its holder read.
CREATE TABLE sign_link (
  token TEXT PRIMARY KEY,
  case_id TEXT NOT NULL,
  version INTEGER NOT NULL,
  team_id TEXT NOT NULL,
  user_id TEXT NOT NULL,
  created_ms INTEGER NOT NULL,
  UNIQUE (case_id, version, team_id, user_id)
) STRICT, WITHOUT ROWID;

-- Statements that the page handed out; each is used once, by the inbox row of that key.
CREATE TABLE sign_statement (
  nonce TEXT PRIMARY KEY,
  case_id TEXT NOT NULL,
  version INTEGER NOT NULL,
  team_id TEXT NOT NULL,
  user_id TEXT NOT NULL,
  statement TEXT NOT NULL,
  not_after_ms INTEGER NOT NULL,
  used_by TEXT
) STRICT, WITHOUT ROWID;

CREATE INDEX sign_statement_of ON sign_statement (case_id, version, team_id, user_id);

-- What an assertion came to, by the key of its inbox row: a repeat gets the same answer.
CREATE TABLE sign_answer (
  key TEXT PRIMARY KEY,
  answer TEXT NOT NULL,
  at_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- The newest sign count of each passkey.
CREATE TABLE sign_count (
  credential TEXT PRIMARY KEY,
  count INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
