-- Old entries of the log that give up their bytes.

-- name: pruned
-- Below which index entries may be without bytes.
SELECT coalesce(max(minimum), 0) AS minimum FROM log_pruning;

-- name: allow_pruning
-- They may go below a greater index from now on.
INSERT INTO log_pruning (minimum) VALUES (:minimum);

-- name: empty_entries
-- The bytes of some entries go; their hashes stay.
UPDATE log_entry SET data = NULL WHERE idx IN (
  SELECT idx FROM log_entry WHERE idx < :minimum AND data IS NOT NULL ORDER BY idx LIMIT :limit
);
