-- Who looks at their App Home, and at which page of it; live grants, for its list.

CREATE TABLE home (
  team_id TEXT NOT NULL,
  user_id TEXT NOT NULL,
  page INTEGER NOT NULL,
  opened_ms INTEGER NOT NULL,
  PRIMARY KEY (team_id, user_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX access_grant_open ON access_grant (not_after_ms, case_id) WHERE state = 'open';
CREATE INDEX duty_owed ON duty (due_ms, case_id) WHERE done_ms IS NULL;
