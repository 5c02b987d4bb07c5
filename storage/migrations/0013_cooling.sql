-- What a quorum opens may wait (the cooling-off of a reset).
ALTER TABLE ask ADD COLUMN opens_ms INTEGER;
