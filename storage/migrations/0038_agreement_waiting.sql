-- compatible_from: 37
-- Whose message about the matrix waits until a week has passed since their last governance message.
CREATE TABLE agreement_waiting (
  team_id TEXT NOT NULL,
  user_id TEXT NOT NULL,
  PRIMARY KEY (team_id, user_id)
) STRICT, WITHOUT ROWID;
