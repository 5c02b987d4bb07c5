-- How long what the log discloses is kept (milliseconds of real time), by the longest retention that bound when the set was last
-- accepted: `log_private.expires` is a disclosure's time plus that. NULL until the bot has accepted a set after this migration.
ALTER TABLE policy_set ADD COLUMN retention_ms INTEGER;
