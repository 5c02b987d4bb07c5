-- The first schema. Times are integer milliseconds since 1970 UTC; `n` is a place in a sequence, from 0.

-- What was filed, frozen; only state, version and the closing ever change.
CREATE TABLE request (
  id TEXT PRIMARY KEY,
  kind TEXT NOT NULL,
  decision_right TEXT NOT NULL,
  runbook TEXT NOT NULL,
  runbook_sha256 TEXT NOT NULL,
  policy_sha256 TEXT NOT NULL,
  title TEXT NOT NULL,
  domain TEXT NOT NULL,
  provider TEXT NOT NULL,
  requester_team TEXT NOT NULL,
  requester_user TEXT NOT NULL,
  subject_team TEXT,
  subject_user TEXT,
  target TEXT NOT NULL,
  reason TEXT NOT NULL,
  fields TEXT NOT NULL,
  seconds INTEGER NOT NULL,
  filed_ms INTEGER NOT NULL,
  expires_ms INTEGER NOT NULL,
  state TEXT NOT NULL,
  version INTEGER NOT NULL,
  closed_ms INTEGER,
  closed_team TEXT,
  closed_user TEXT,
  asks_before INTEGER NOT NULL,
  last_outcome TEXT NOT NULL,
  denied_lately INTEGER NOT NULL
) STRICT;

CREATE INDEX request_pending_domain ON request (domain, expires_ms) WHERE state = 'pending';
CREATE INDEX request_pending_provider ON request (provider, expires_ms) WHERE state = 'pending';
CREATE INDEX request_pending_requester ON request (requester_user, requester_team, domain) WHERE state = 'pending';
CREATE INDEX request_by_requester ON request (requester_user, requester_team, filed_ms);
CREATE INDEX request_by_runbook ON request (provider, runbook, filed_ms);
CREATE INDEX request_closed ON request (provider, runbook, closed_ms) WHERE closed_ms IS NOT NULL;

-- One question to accountable people.
CREATE TABLE ask (
  case_id TEXT NOT NULL REFERENCES request (id),
  n INTEGER NOT NULL,
  kind TEXT NOT NULL,
  version INTEGER NOT NULL,
  need INTEGER NOT NULL,
  requires TEXT NOT NULL,
  opened_ms INTEGER NOT NULL,
  expires_ms INTEGER NOT NULL,
  state TEXT NOT NULL,
  PRIMARY KEY (case_id, n)
) STRICT, WITHOUT ROWID;

CREATE TABLE step (
  case_id TEXT NOT NULL,
  ask INTEGER NOT NULL,
  n INTEGER NOT NULL,
  idx INTEGER NOT NULL,
  action TEXT NOT NULL,
  role TEXT NOT NULL,
  due_ms INTEGER NOT NULL,
  page INTEGER NOT NULL,
  also TEXT NOT NULL,
  state TEXT NOT NULL,
  why TEXT NOT NULL,
  PRIMARY KEY (case_id, ask, n),
  FOREIGN KEY (case_id, ask) REFERENCES ask (case_id, n)
) STRICT, WITHOUT ROWID;

-- Whom a step or an absence put the question to.
CREATE TABLE reached (
  case_id TEXT NOT NULL,
  ask INTEGER NOT NULL,
  n INTEGER NOT NULL,
  team_id TEXT NOT NULL,
  user_id TEXT NOT NULL,
  role TEXT NOT NULL,
  step INTEGER NOT NULL,
  at_ms INTEGER NOT NULL,
  for_owner INTEGER NOT NULL,
  failed TEXT NOT NULL,
  PRIMARY KEY (case_id, ask, n),
  FOREIGN KEY (case_id, ask) REFERENCES ask (case_id, n)
) STRICT, WITHOUT ROWID;

CREATE INDEX reached_person ON reached (user_id, team_id);

-- The recorded decider is who clicked.
CREATE TABLE vote (
  case_id TEXT NOT NULL,
  ask INTEGER NOT NULL,
  n INTEGER NOT NULL,
  team_id TEXT NOT NULL,
  user_id TEXT NOT NULL,
  answer TEXT NOT NULL,
  role TEXT NOT NULL,
  at_ms INTEGER NOT NULL,
  seconds INTEGER NOT NULL,
  behalf_team TEXT,
  behalf_user TEXT,
  PRIMARY KEY (case_id, ask, n),
  FOREIGN KEY (case_id, ask) REFERENCES ask (case_id, n)
) STRICT, WITHOUT ROWID;

-- What was said or done beside deciding: questions, answers, advice, pass, hold, push.
CREATE TABLE note (
  case_id TEXT NOT NULL,
  ask INTEGER NOT NULL,
  n INTEGER NOT NULL,
  kind TEXT NOT NULL,
  team_id TEXT NOT NULL,
  user_id TEXT NOT NULL,
  at_ms INTEGER NOT NULL,
  text TEXT NOT NULL,
  advice TEXT NOT NULL,
  PRIMARY KEY (case_id, ask, n),
  FOREIGN KEY (case_id, ask) REFERENCES ask (case_id, n)
) STRICT, WITHOUT ROWID;

-- The grant of a case (GRANT is a word of SQL).
CREATE TABLE access_grant (
  case_id TEXT PRIMARY KEY REFERENCES request (id),
  seconds INTEGER NOT NULL,
  opened_ms INTEGER NOT NULL,
  not_after_ms INTEGER NOT NULL,
  state TEXT NOT NULL,
  ended_ms INTEGER
) STRICT, WITHOUT ROWID;

-- When the sweeper must look at a case again.
CREATE TABLE deadline (
  case_id TEXT PRIMARY KEY REFERENCES request (id),
  due_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX deadline_due ON deadline (due_ms, case_id);

-- What Slack sent us, durable before it is acknowledged. A finished row keeps its key and answer; `act` is emptied.
CREATE TABLE inbox (
  id INTEGER PRIMARY KEY,
  key TEXT NOT NULL UNIQUE,
  act TEXT NOT NULL,
  answer TEXT NOT NULL,
  received_ms INTEGER NOT NULL,
  attempts INTEGER NOT NULL DEFAULT 0,
  next_ms INTEGER NOT NULL,
  done_ms INTEGER
) STRICT;

CREATE INDEX inbox_unfinished ON inbox (id) WHERE done_ms IS NULL;

-- What is to be said. A sent row is deleted, an undeliverable one keeps its reason and loses its text. AUTOINCREMENT: the id
-- of a row that is gone is never given to another, which the messenger would take for the old one.
CREATE TABLE outbox (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  lane INTEGER NOT NULL,
  purpose TEXT NOT NULL,
  case_id TEXT,
  to_team TEXT,
  to_user TEXT,
  channel TEXT,
  data TEXT NOT NULL,
  key TEXT NOT NULL,
  copy_id INTEGER,
  created_ms INTEGER NOT NULL,
  not_before_ms INTEGER NOT NULL,
  leased_until_ms INTEGER NOT NULL DEFAULT 0,
  attempts INTEGER NOT NULL DEFAULT 0,
  error TEXT NOT NULL DEFAULT '',
  done_ms INTEGER
) STRICT;

CREATE INDEX outbox_unsent ON outbox (lane, id) WHERE done_ms IS NULL;
CREATE INDEX outbox_unsent_key ON outbox (key) WHERE done_ms IS NULL AND key <> '';
CREATE INDEX outbox_unsent_copy ON outbox (copy_id) WHERE done_ms IS NULL AND copy_id IS NOT NULL;

-- Messages of ours that stand in Slack; `drawn` is the case version that each shows.
CREATE TABLE copy (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  case_id TEXT NOT NULL,
  purpose TEXT NOT NULL,
  to_team TEXT,
  to_user TEXT,
  channel TEXT NOT NULL,
  ts TEXT NOT NULL,
  drawn INTEGER NOT NULL,
  UNIQUE (channel, ts)
) STRICT;

CREATE INDEX copy_case ON copy (case_id);

-- Who is away, and until when.
CREATE TABLE absence (
  team_id TEXT NOT NULL,
  user_id TEXT NOT NULL,
  until_ms INTEGER NOT NULL,
  PRIMARY KEY (team_id, user_id)
) STRICT, WITHOUT ROWID;

-- Accepted policy: each acceptance that changed the set, the files of each set, their bytes by SHA-256.
CREATE TABLE policy_set (
  n INTEGER PRIMARY KEY,
  digest TEXT NOT NULL,
  accepted_ms INTEGER NOT NULL
) STRICT;

CREATE INDEX policy_set_digest ON policy_set (digest);

CREATE TABLE blob (
  sha256 TEXT PRIMARY KEY,
  content BLOB NOT NULL
) STRICT;

CREATE TABLE policy_file (
  digest TEXT NOT NULL,
  path TEXT NOT NULL,
  sha256 TEXT NOT NULL REFERENCES blob (sha256),
  PRIMARY KEY (digest, path)
) STRICT, WITHOUT ROWID;

-- The pseudonym of each person whom the log names.
CREATE TABLE person (
  team_id TEXT NOT NULL,
  user_id TEXT NOT NULL,
  ref TEXT NOT NULL UNIQUE,
  PRIMARY KEY (team_id, user_id)
) STRICT, WITHOUT ROWID;
