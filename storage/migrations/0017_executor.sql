-- What executors are told, with its attempts (bot/domain/executing.py). `next_ms`: when it is tried next; a lease is an
-- attempt on its way.
CREATE TABLE executor_call (
  case_id TEXT NOT NULL REFERENCES request (id),
  n INTEGER NOT NULL,
  kind TEXT NOT NULL,
  asked_ms INTEGER NOT NULL,
  not_after_ms INTEGER NOT NULL,
  state TEXT NOT NULL,
  answered_ms INTEGER,
  alarmed_ms INTEGER,
  attempts INTEGER NOT NULL DEFAULT 0,
  next_ms INTEGER NOT NULL,
  leased_until_ms INTEGER NOT NULL DEFAULT 0,
  error TEXT NOT NULL DEFAULT '',
  PRIMARY KEY (case_id, n)
) STRICT, WITHOUT ROWID;

CREATE INDEX executor_call_waiting ON executor_call (next_ms) WHERE state = 'waiting';
CREATE INDEX executor_call_leased ON executor_call (leased_until_ms) WHERE leased_until_ms > 0;
