-- What an operator watches.

-- name: inbox_backlog
-- How much waits to be carried out, and since when.
SELECT count(*) AS waiting, min(received_ms) AS oldest_ms FROM inbox
WHERE done_ms IS NULL AND unreadable_ms IS NULL;

-- name: unreadable
-- Rows of the inbox that the running program cannot read.
SELECT count(*) AS waiting, min(received_ms) AS oldest_ms FROM inbox WHERE done_ms IS NULL AND unreadable_ms IS NOT NULL;

-- name: outbox_backlog
-- How much waits to be said in each lane, and since when.
SELECT lane, count(*) AS waiting, min(created_ms) AS oldest_ms FROM outbox WHERE done_ms IS NULL GROUP BY lane ORDER BY lane;

-- name: due_backlog
-- How many deadlines have come and were not acted on yet, and since when.
SELECT count(*) AS waiting, min(due_ms) AS oldest_ms FROM deadline WHERE due_ms <= :now;

-- name: open_asks
-- How many questions are open, and since when, by kind.
SELECT kind, count(*) AS waiting, min(opened_ms) AS oldest_ms FROM ask WHERE state = 'open' GROUP BY kind ORDER BY kind;

-- name: newest_checkpoint_size
-- How much of the log a signed checkpoint covers.
SELECT max(size) AS size FROM log_checkpoint;

-- name: overdue_asks
-- Questions that are past their deadline and still open, by domain.
SELECT r.domain, count(*) AS waiting, min(a.expires_ms) AS oldest_ms
FROM ask AS a JOIN request AS r ON r.id = a.case_id
WHERE a.state = 'open' AND a.expires_ms <= :before GROUP BY r.domain ORDER BY r.domain;

-- name: oldest_unsent
-- Since when the oldest unsent message of a lane waits.
SELECT min(created_ms) AS oldest_ms FROM outbox WHERE done_ms IS NULL AND lane = :lane;

-- name: oldest_deadline
-- The time at which the sweeper has to look next, or had to.
SELECT min(due_ms) AS oldest_ms FROM deadline;

-- name: touch
-- A row that nobody means. With `untouch` in one transaction it changes nothing and fails wherever nothing can be written;
-- a row updated to what it was would not do: SQLite notices and writes no page.
INSERT INTO schema_version (version, name, applied_ms) VALUES (-1, 'probe', 0);

-- name: untouch
-- Takes it back.
DELETE FROM schema_version WHERE version = -1;

-- name: open_requests
-- Requests that are pending or whose grant is open, and findings that are not closed, oldest first.
SELECT r.id, r.kind, r.state, r.title, r.domain, r.provider, r.requester_team, r.requester_user, r.filed_ms, r.expires_ms,
  r.closed_ms, r.drill, r.runbook, r.target, g.state AS grant_state, g.not_after_ms
FROM request AS r LEFT JOIN access_grant AS g ON g.case_id = r.id
WHERE r.id IN (SELECT p.id FROM request AS p WHERE p.state = 'pending')
  OR r.id IN (SELECT f.id FROM request AS f WHERE f.kind = 'finding' AND f.state <> 'closed')
  OR r.id IN (SELECT o.case_id FROM access_grant AS o WHERE o.state = 'open')
ORDER BY r.filed_ms, r.id LIMIT :limit;

-- name: open_samples
-- One of the requests above of each state, domain, provider, requester and runbook, drills apart. Of the pending ones `kind` finds
-- the first of each in the index and skips the rest: the greatest time leads past them, and `|| ''` lets SQLite compare in the index.
WITH RECURSIVE kind (id) AS (
  SELECT (
    SELECT f.id FROM request AS f WHERE f.state = 'pending'
    ORDER BY f.requester_user, f.requester_team, f.domain, f.provider, f.runbook, f.drill, f.expires_ms LIMIT 1
  )
  UNION ALL
  SELECT (
    SELECT n.id FROM request AS n
    WHERE n.state = 'pending' AND (n.requester_user, n.requester_team, n.domain, n.provider, n.runbook, n.drill, n.expires_ms)
      > (k.requester_user || '', k.requester_team || '', k.domain || '', k.provider || '', k.runbook || '', k.drill || '',
         9223372036854775807)
    ORDER BY n.requester_user, n.requester_team, n.domain, n.provider, n.runbook, n.drill, n.expires_ms LIMIT 1
  )
  FROM kind JOIN request AS k ON k.id = kind.id
)
SELECT r.id, r.kind, r.state, r.title, r.domain, r.provider, r.requester_team, r.requester_user, r.filed_ms, r.expires_ms,
  r.closed_ms, r.drill, r.runbook, r.target, g.state AS grant_state, g.not_after_ms
FROM request AS r LEFT JOIN access_grant AS g ON g.case_id = r.id
WHERE r.id IN (
  SELECT p.id FROM kind AS p
  UNION ALL SELECT min(s.id) FROM (
    SELECT f.* FROM request AS f WHERE f.kind = 'finding' AND f.state <> 'closed'
    UNION ALL SELECT o.* FROM access_grant AS a CROSS JOIN request AS o WHERE a.state = 'open' AND o.id = a.case_id
  ) AS s
  WHERE s.state <> 'pending'
  GROUP BY s.state, s.domain, s.provider, s.requester_team, s.requester_user, s.runbook, s.drill
);

-- name: all_requests
-- Every request, oldest first.
SELECT r.id, r.kind, r.state, r.title, r.domain, r.provider, r.requester_team, r.requester_user, r.filed_ms, r.expires_ms,
  r.closed_ms, r.drill, r.runbook, r.target, g.state AS grant_state, g.not_after_ms
FROM request AS r LEFT JOIN access_grant AS g ON g.case_id = r.id
WHERE r.matter = ''
ORDER BY r.filed_ms, r.id LIMIT :limit;
