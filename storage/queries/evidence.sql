-- What an outsider checks: entries, tiles, disclosures and checkpoint notes.

-- name: entries_below
-- The entries that a checkpoint of this size covers, in order, to be streamed.
SELECT idx, leaf, data, type, case_id, ts_ms FROM log_entry WHERE idx < :size ORDER BY idx;

-- name: disclosures_below
-- What the digests of those entries disclose, in their order, to be streamed.
SELECT digest, idx, disclosure FROM log_private WHERE idx < :size ORDER BY idx, digest;

-- name: checkpoint_notes
-- The signed notes up to a size, smallest first, to be streamed.
SELECT size, note FROM log_checkpoint WHERE size <= :size ORDER BY size;

-- name: newest_checkpoint
-- The newest signed note.
SELECT size, root, note FROM log_checkpoint ORDER BY size DESC LIMIT 1;

-- name: anchors_below
-- What was anchored outside the host up to a size, oldest first, to be streamed.
SELECT size, kind, ref, blob, at FROM log_anchor WHERE size <= :size ORDER BY size, at, kind, ref;

-- name: leaves
-- Leaf hashes of a range of entries, in order.
SELECT idx, leaf FROM log_entry WHERE idx >= :start AND idx < :stop ORDER BY idx;

-- name: nodes_of_level
-- Stored roots of a range of complete subtrees, in order.
SELECT i, h FROM log_node WHERE level = :level AND i >= :start AND i < :stop ORDER BY i;

-- name: entry_bytes
-- The bytes of a range of entries, in order.
SELECT data FROM log_entry WHERE idx >= :start AND idx < :stop ORDER BY idx;

-- name: checkpoint_note
-- The signed note of one size.
SELECT note FROM log_checkpoint WHERE size = :size;

-- name: disclosures_of
-- What the digests of one entry disclose.
SELECT digest, idx, disclosure FROM log_private WHERE idx = :idx ORDER BY digest;

-- name: introductions
-- The disclosures about the person behind a pseudonym, oldest first: the one that introduces them is among them.
SELECT l.digest, l.idx, l.disclosure FROM person AS p
JOIN log_private AS l ON l.subject = p.team_id || '/' || p.user_id WHERE p.ref = :ref ORDER BY l.idx, l.digest;

-- name: last_entry_beside_exports
-- The last entry that is not about a check or an export of the log itself.
SELECT idx FROM log_entry WHERE type NOT IN ('log.exported', 'log.verified') ORDER BY idx DESC LIMIT 1;

-- name: first_checkpoint_over
-- The first signed note that covers an entry.
SELECT size, root, note FROM log_checkpoint WHERE size > :idx ORDER BY size LIMIT 1;

-- name: last_policy_loaded
-- The last entry below a size that says which policy set was loaded.
SELECT data FROM log_entry WHERE type = 'policy.loaded' AND idx < :size ORDER BY idx DESC LIMIT 1;

-- name: entries_between
-- The entries of a range, in order, to be streamed.
SELECT idx, leaf, data, type, case_id, ts_ms FROM log_entry WHERE idx >= :start AND idx < :stop ORDER BY idx;

-- name: disclosures_between
-- What the digests of a range of entries disclose, in their order, to be streamed.
SELECT digest, idx, disclosure FROM log_private WHERE idx >= :start AND idx < :stop ORDER BY idx;

-- name: checkpoints_between
-- The checkpoints over more than `start` and at most `stop` entries, smallest first, to be streamed.
SELECT size, root, note FROM log_checkpoint WHERE size > :start AND size <= :stop ORDER BY size;

-- name: log_counts
-- How many entries and disclosures there are, wherever they say they belong.
SELECT (SELECT count(*) FROM log_entry) AS entries, (SELECT count(*) FROM log_private) AS disclosures;

-- name: log_counts_from
-- How many entries and disclosures there are from an index on.
SELECT
  (SELECT count(*) FROM log_entry WHERE idx >= :start) AS entries,
  (SELECT count(*) FROM log_private WHERE idx >= :start) AS disclosures;

-- name: nodes_over
-- The stored roots of complete subtrees that hold an entry from an index on.
SELECT level, i, h FROM log_node
WHERE (level = 8 AND i >= :start / 256) OR (level = 16 AND i >= :start / 65536) OR (level = 24 AND i >= :start / 16777216);

-- name: last_verified
-- The last entry that says up to where the whole log was verified.
SELECT data FROM log_entry WHERE type = 'log.verified' ORDER BY idx DESC LIMIT 1;

-- name: is_disclosed
-- Whether a digest is still disclosed.
SELECT 1 AS found FROM log_private WHERE digest = :digest;
