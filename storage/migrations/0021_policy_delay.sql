-- Until when a set that is no longer in force binds a yes: requests filed before `binds_until_ms` need its word too.
-- NULL: it is in force, or was replaced before this was kept; of those, only the last 20 were ever looked back at.
ALTER TABLE policy_set ADD COLUMN binds_until_ms INTEGER;

UPDATE policy_set SET binds_until_ms = 0 WHERE n <= (SELECT max(n) - 20 FROM policy_set);
