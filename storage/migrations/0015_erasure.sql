-- Messages that are never redrawn are remembered all the same, so that what stands in them can be erased.
ALTER TABLE copy ADD COLUMN plain INTEGER NOT NULL DEFAULT 0;
