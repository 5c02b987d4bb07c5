-- That a contract will end has been told: of which provider and last day, and how long before (seconds of policy time).
CREATE TABLE contract_notice (
  provider TEXT NOT NULL,
  last_day TEXT NOT NULL,
  seconds_before INTEGER NOT NULL,
  PRIMARY KEY (provider, last_day, seconds_before)
) STRICT, WITHOUT ROWID;
