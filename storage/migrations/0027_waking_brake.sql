-- The last time that somebody was asked without a page, because the requester had woken enough people: the how many-th waking
-- it would have been, when that was, and until when nobody is paged. NULL: never.
ALTER TABLE ask ADD COLUMN braked INTEGER;
ALTER TABLE ask ADD COLUMN braked_ms INTEGER;
ALTER TABLE ask ADD COLUMN braked_until_ms INTEGER;
