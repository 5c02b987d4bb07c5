-- Cases that nobody filed: an authority that is suspended, a right that is reviewed on schedule (`bot.domain.matters`).
ALTER TABLE request ADD COLUMN matter TEXT NOT NULL DEFAULT '';
CREATE INDEX request_matter ON request (matter) WHERE matter <> '';
CREATE INDEX request_autonomous ON request (domain, filed_ms) WHERE decision_right = 'autonomous' AND state = 'opened';
