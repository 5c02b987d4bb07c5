-- Endorsements of changes of the signing keys (bot/domain/authority/endorsement.py), one row for each domain of a change.
CREATE TABLE endorsement (
  from_digest TEXT NOT NULL,
  to_digest TEXT NOT NULL,
  domain TEXT NOT NULL,
  at_ms INTEGER NOT NULL,
  PRIMARY KEY (from_digest, to_digest, domain, at_ms)
) STRICT, WITHOUT ROWID;
