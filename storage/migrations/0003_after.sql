-- What follows the yes: how a grant ended, what is owed after it, asks of other kinds.

ALTER TABLE request ADD COLUMN terms TEXT NOT NULL DEFAULT '{}';

ALTER TABLE ask ADD COLUMN seconds INTEGER NOT NULL DEFAULT 0;
ALTER TABLE ask ADD COLUMN due_ms INTEGER;

ALTER TABLE access_grant ADD COLUMN ended_team TEXT;
ALTER TABLE access_grant ADD COLUMN ended_user TEXT;
ALTER TABLE access_grant ADD COLUMN warned INTEGER NOT NULL DEFAULT 0;

CREATE INDEX request_glass ON request (provider, domain, filed_ms) WHERE state = 'opened';

-- Evidence and rotation that the provider owes.
CREATE TABLE duty (
  case_id TEXT NOT NULL REFERENCES request (id),
  n INTEGER NOT NULL,
  kind TEXT NOT NULL,
  name TEXT NOT NULL,
  since_ms INTEGER NOT NULL,
  due_ms INTEGER NOT NULL,
  chase_ms INTEGER,
  missed INTEGER NOT NULL,
  done_ms INTEGER,
  done_team TEXT,
  done_user TEXT,
  PRIMARY KEY (case_id, n)
) STRICT, WITHOUT ROWID;
