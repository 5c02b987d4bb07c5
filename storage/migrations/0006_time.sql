-- How far time has come, one row (bot/domain/timekeeping.py): the greatest time gone by, the monotonic clock at that moment,
-- the boot in which it means something, and what the wall clock said when it was zero. `jump_ms` stands while giving is
-- frozen; `wished` when an operator accepts it and the running bot has not done so yet.
CREATE TABLE time_mark (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  high_ms INTEGER NOT NULL,
  steady_ms INTEGER NOT NULL,
  boot TEXT NOT NULL,
  offset_ms INTEGER NOT NULL,
  jump_ms INTEGER,
  wished INTEGER NOT NULL DEFAULT 0
) STRICT;

-- What the watchdog looks for: questions that are past their deadline and still open.
CREATE INDEX ask_open ON ask (expires_ms) WHERE state = 'open';
