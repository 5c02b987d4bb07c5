-- Which older programs may run with a schema: an additive migration names the oldest in a line `-- compatible_from: N`. A version
-- without a row here: only a program that knows the migration itself.
CREATE TABLE schema_compatible (
  version INTEGER PRIMARY KEY,
  compatible_from INTEGER NOT NULL
) STRICT;

-- What the leader answered a command on the host: empty while it waits, and where the act was carried out.
ALTER TABLE inbox ADD COLUMN outcome TEXT NOT NULL DEFAULT '';

-- Why an operator lets the leader go on without a replica.
ALTER TABLE replica ADD COLUMN excused_why TEXT NOT NULL DEFAULT '';
