-- Since when somebody is away, for the summary at their return. Of absences from before nobody knows it: they get none.
ALTER TABLE absence ADD COLUMN since_ms INTEGER NOT NULL DEFAULT 0;
UPDATE absence SET since_ms = until_ms;

-- What was answered on behalf of somebody.
CREATE INDEX vote_behalf ON vote (behalf_user, behalf_team, at_ms) WHERE behalf_user IS NOT NULL;
