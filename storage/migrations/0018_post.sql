-- The checkpoint that the audit channel heard last: at most one every 15 minutes, over restarts too.
CREATE TABLE checkpoint_post (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  size INTEGER NOT NULL,
  at_ms INTEGER NOT NULL
) STRICT;
