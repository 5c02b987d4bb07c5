-- Policy exceptions: when those who stand for one hear that its date comes near.

ALTER TABLE access_grant ADD COLUMN remind_ms INTEGER;

CREATE INDEX request_exceptions ON request (filed_ms) WHERE kind = 'policy_exception';
