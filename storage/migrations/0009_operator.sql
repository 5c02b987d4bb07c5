-- What an operator files on the host and two people confirm (bot/domain/operating.py), and holds. The reason stands here only
-- while an act is open.
CREATE TABLE operator_act (
  id TEXT PRIMARY KEY,
  kind TEXT NOT NULL,
  reason TEXT NOT NULL,
  filed_ms INTEGER NOT NULL,
  expires_ms INTEGER NOT NULL,
  subject_team TEXT,
  subject_user TEXT,
  hold TEXT NOT NULL,
  before_ms INTEGER,
  state TEXT NOT NULL,
  version INTEGER NOT NULL,
  closed_ms INTEGER,
  result TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX operator_act_unfinished ON operator_act (state) WHERE state IN ('open', 'confirmed');

CREATE TABLE operator_voice (
  act_id TEXT NOT NULL REFERENCES operator_act (id),
  n INTEGER NOT NULL,
  team_id TEXT NOT NULL,
  user_id TEXT NOT NULL,
  answer TEXT NOT NULL,
  at_ms INTEGER NOT NULL,
  PRIMARY KEY (act_id, n)
) STRICT, WITHOUT ROWID;

-- What is about or by the subject (TEAM/USER) is not erased while this stands.
CREATE TABLE hold (
  id TEXT PRIMARY KEY,
  subject TEXT NOT NULL,
  placed_ms INTEGER NOT NULL,
  released_ms INTEGER
) STRICT, WITHOUT ROWID;

CREATE INDEX hold_standing ON hold (subject, placed_ms) WHERE released_ms IS NULL;
