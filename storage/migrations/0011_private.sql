-- Free text of a case that is over stands in log_private alone (storage/private_rows.py). `emptied`: 0 the text stands here, 1 it
-- does not, 2 it does not, and an act came since. `digest` says where the rest of a note's text stands.
ALTER TABLE request ADD COLUMN emptied INTEGER NOT NULL DEFAULT 0;
ALTER TABLE note ADD COLUMN digest TEXT NOT NULL DEFAULT '';

CREATE INDEX request_unemptied ON request (id) WHERE emptied <> 1 AND state <> 'pending';
CREATE INDEX outbox_unsent_case ON outbox (case_id) WHERE done_ms IS NULL AND case_id IS NOT NULL;
