-- The matrix as an agreement (bot/domain/governance/agreement.py): what is known of each row.
CREATE TABLE agreement_row (
  key TEXT PRIMARY KEY,
  domain TEXT NOT NULL,
  digest TEXT NOT NULL,
  base TEXT NOT NULL,
  open INTEGER NOT NULL,
  since_ms INTEGER NOT NULL,
  agreed_ms INTEGER,
  asked_ms INTEGER,
  due_ms INTEGER,
  overdue INTEGER NOT NULL
) STRICT;

-- The last word of each person on each row as it was then. Reasons are in the log's private text only.
CREATE TABLE agreement_word (
  key TEXT NOT NULL,
  digest TEXT NOT NULL,
  team_id TEXT NOT NULL,
  user_id TEXT NOT NULL,
  role TEXT NOT NULL,
  word TEXT NOT NULL,
  at_ms INTEGER NOT NULL,
  PRIMARY KEY (key, digest, team_id, user_id)
) STRICT;

-- The set by which the rows were noted last; one row.
CREATE TABLE agreement_set (
  one INTEGER PRIMARY KEY CHECK (one = 1),
  digest TEXT NOT NULL
) STRICT;

-- When somebody last got a governance message (bot/domain/governance/weekly.py).
CREATE TABLE governance_message (
  team_id TEXT NOT NULL,
  user_id TEXT NOT NULL,
  at_ms INTEGER NOT NULL,
  PRIMARY KEY (team_id, user_id)
) STRICT, WITHOUT ROWID;
