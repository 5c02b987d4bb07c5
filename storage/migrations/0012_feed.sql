-- What the calendars of rotas said when they could last be read, by the SHA-256 of their address, which may hold a key.
CREATE TABLE feed (
  address TEXT PRIMARY KEY,
  body BLOB NOT NULL,
  read_ms INTEGER NOT NULL
) STRICT;
