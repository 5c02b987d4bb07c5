-- Who was paged beside Slack, and when the silent are warned that the deadline is near.
ALTER TABLE reached ADD COLUMN paged INTEGER NOT NULL DEFAULT 0;
ALTER TABLE ask ADD COLUMN warn_ms INTEGER;
