-- What must be escalated at once: what a finding has beside its request. And the last reconciliations, found in the log.
CREATE TABLE finding (
  case_id TEXT PRIMARY KEY REFERENCES request (id),
  noticed_ms INTEGER NOT NULL,
  within_s INTEGER,
  shared INTEGER NOT NULL,
  source TEXT NOT NULL,
  outcome TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX request_finding ON request (domain, expires_ms) WHERE kind = 'finding' AND state <> 'closed';
CREATE INDEX log_reconciled ON log_entry (idx) WHERE type = 'reconciliation.recorded';
