-- The decision log: head, entries, nodes, disclosures and checkpoints.

-- name: open_log
-- The head of an empty log.
INSERT INTO log_head (origin, size, edge) VALUES (:origin, 0, :edge);

-- name: log_head
-- Origin, size and edge of the log.
SELECT origin, size, edge FROM log_head;

-- name: move_log_head
-- The log has grown, and with a new epoch's first entry has a new name.
UPDATE log_head SET origin = :origin, size = :size, edge = :edge;

-- name: insert_log_entry
-- One more entry.
INSERT INTO log_entry (idx, leaf, data, type, case_id, ts_ms) VALUES (:idx, :leaf, :data, :type, :case_id, :ts_ms);

-- name: entries_of_type
-- The bytes of every entry of one type, in order; for types of which there are few.
SELECT data FROM log_entry WHERE type = :type ORDER BY idx;

-- name: insert_log_node
-- The root of a subtree that is complete now.
INSERT INTO log_node (level, i, h) VALUES (:level, :i, :h);

-- name: insert_log_private
-- What a digest of an entry discloses, and until when it is kept by the retention of now; a hold on its subject covers it too.
INSERT INTO log_private (digest, idx, disclosure, subject, expires, hold_id)
SELECT :digest, :idx, :disclosure, :subject,
  :ts_ms + (SELECT retention_ms FROM policy_set ORDER BY n DESC LIMIT 1),
  (SELECT id FROM hold WHERE subject = :subject AND released_ms IS NULL ORDER BY placed_ms, id LIMIT 1);

-- name: log_entry
-- One entry.
SELECT idx, leaf, data, type, case_id, ts_ms FROM log_entry WHERE idx = :idx;

-- name: log_rows
-- Entries in order, from an index on.
SELECT idx, leaf, data, type, case_id, ts_ms FROM log_entry WHERE idx >= :start ORDER BY idx LIMIT :limit;

-- name: all_log_rows
-- Every entry in order, to be streamed.
SELECT idx, leaf, data, type, case_id, ts_ms FROM log_entry ORDER BY idx;

-- name: last_of_case
-- The case's newest entry and how many it has.
SELECT leaf, (SELECT count(*) FROM log_entry WHERE case_id = :case_id) AS entries
FROM log_entry WHERE case_id = :case_id ORDER BY idx DESC LIMIT 1;

-- name: anomaly_at
-- Whether the clock's step behind this time is recorded already.
SELECT 1 AS found FROM log_entry WHERE type = 'clock.anomaly' AND ts_ms = :ts_ms LIMIT 1;

-- name: ref
-- The pseudonym of a person.
SELECT ref FROM person WHERE team_id = :team AND user_id = :user;

-- name: insert_ref
-- The log names a person for the first time.
INSERT INTO person (team_id, user_id, ref) VALUES (:team, :user, :ref);

-- name: disclosures
-- What the log's digests disclose, in the order of the entries.
SELECT digest, idx, disclosure FROM log_private ORDER BY idx, digest;

-- name: log_nodes
-- The stored roots of complete subtrees.
SELECT level, i, h FROM log_node ORDER BY level, i;

-- name: checkpoints
-- The checkpoints signed so far, smallest first.
SELECT size, root, note FROM log_checkpoint ORDER BY size;

-- name: insert_checkpoint
-- A signed note; one that stands already stays.
INSERT INTO log_checkpoint (size, root, note, signed_at)
SELECT :size, :root, :note, :signed_at WHERE NOT EXISTS (SELECT 1 FROM log_checkpoint WHERE size = :size);

-- name: case_log
-- The entries of one case, oldest first.
SELECT idx, leaf, data, type, case_id, ts_ms FROM log_entry WHERE case_id = :case_id ORDER BY idx;

-- name: epochs
-- The entries that began a new epoch, oldest first.
SELECT idx, ts_ms, data FROM log_entry WHERE type = 'log.epoch_started' ORDER BY idx;

-- name: reconciliations
-- The last reconciliations that were recorded, newest first; they have an index of their own.
SELECT idx, leaf, data, type, case_id, ts_ms FROM log_entry
WHERE type = 'reconciliation.recorded' ORDER BY idx DESC LIMIT :limit;
