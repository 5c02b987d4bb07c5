-- Who leads (PostgreSQL only; with SQLite there is one process): one row. `pid` is the session of the holder that writes,
-- `beat_ms` the holder's last beat by the database's clock.
CREATE TABLE leadership (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  token INTEGER NOT NULL,
  pid INTEGER NOT NULL,
  replica TEXT NOT NULL,
  beat_ms INTEGER NOT NULL
) STRICT;

-- The processes that serve. `size` is of the newest checkpoint that a replica remembers, NULL without a memory; `nonce` is what a
-- replica without a memory wants to be vouched for, `vouched` the leader's signed note about it.
CREATE TABLE replica (
  id TEXT PRIMARY KEY,
  host TEXT NOT NULL,
  started_ms INTEGER NOT NULL,
  beat_ms INTEGER NOT NULL,
  size INTEGER,
  emergency INTEGER NOT NULL,
  nonce TEXT NOT NULL DEFAULT '',
  vouched TEXT NOT NULL DEFAULT '',
  excused_ms INTEGER
) STRICT;
