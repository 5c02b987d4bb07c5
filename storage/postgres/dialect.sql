-- What PostgreSQL says differently from SQLite: the same names as in storage/sqlite/dialect.sql.

-- name: strip_unsaid
-- What is still to be said about a case is said without what somebody typed.
UPDATE outbox SET data = (data::jsonb - 'reason' - 'text' - 'detail')::text WHERE case_id = :case_id AND done_ms IS NULL;

-- name: unfinished_inbox_of
-- An act by or about a user that waits to be carried out.
SELECT 1 AS found FROM inbox WHERE done_ms IS NULL AND strpos(act, :user) > 0 LIMIT 1;

-- name: first_to_keep
-- The first entry that stays whole: too young, of the last bundle, under a hold, or of a case that is open.
SELECT least(
  coalesce((SELECT min(idx) FROM log_entry WHERE ts_ms >= :before_ms), (SELECT size FROM log_head)),
  (SELECT (greatest(size, 1) - 1) / 256 * 256 FROM log_head),
  coalesce((SELECT min(idx) FROM log_private WHERE hold_id IS NOT NULL), (SELECT size FROM log_head)),
  coalesce((
    SELECT min(e.idx) FROM log_entry AS e WHERE e.case_id IN (
      SELECT id FROM request WHERE state = 'pending'
      UNION SELECT case_id FROM access_grant WHERE state = 'open'
      UNION SELECT case_id FROM ask WHERE state = 'open'
    )
  ), (SELECT size FROM log_head))
) AS idx;

-- name: policy_history
-- The sets that bind what is asked for now, or any question that is open, oldest first; the last one is in force.
SELECT digest, accepted_ms, binds_until_ms FROM policy_set
WHERE binds_until_ms IS NULL OR binds_until_ms > least(
  :now,
  coalesce((SELECT min(filed_ms) FROM request WHERE state = 'pending'), :now),
  coalesce((SELECT min(opened_ms) FROM ask WHERE state = 'open' AND kind IN ('extension', 'renewal', 'restore')), :now),
  coalesce((SELECT min(filed_ms) FROM operator_act WHERE state = 'open'), :now)
)
ORDER BY n;
