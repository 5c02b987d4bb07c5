-- When the sweeper looks at a case again, and the cases whose time has come, read together.

-- name: put_deadline
-- The sweeper must look at the case at this time.
INSERT INTO deadline (case_id, due_ms) VALUES (:case_id, :due_ms)
ON CONFLICT (case_id) DO UPDATE SET due_ms = excluded.due_ms;

-- name: drop_deadline
-- Nothing will ever be due on the case.
DELETE FROM deadline WHERE case_id = :case_id;

-- name: wake_on_call
-- Who is on call may have changed: pending requests that on-call was asked in are looked at now.
UPDATE deadline SET due_ms = :now
WHERE due_ms > :now AND case_id IN (
  SELECT r.id FROM request AS r JOIN step AS s ON s.case_id = r.id AND s.ask = 0
  WHERE r.state IN ('pending', 'open') AND s.state = 'fired' AND s.action = 'notify'
    AND (s.role = 'on_call' OR s.also LIKE '%"on_call"%')
);

-- name: due
-- Cases whose time has come, the most overdue first, from behind one of them on.
SELECT due_ms, case_id FROM deadline
WHERE due_ms <= :now AND (due_ms, case_id) > (:after_ms, :after_id) ORDER BY due_ms, case_id LIMIT :limit;

-- name: due_requests
-- Cases whose time has come, as `request`, from behind one of them on; the other `due_…` read their parts.
SELECT
  id, kind, decision_right, runbook, runbook_sha256, policy_sha256, title, domain, provider, requester_team,
  requester_user, subject_team, subject_user, target, reason, fields, seconds, filed_ms, expires_ms, state, version,
  closed_ms, closed_team, closed_user, asks_before, last_outcome, denied_lately, terms, drill, drill_team,
  drill_user, emptied, matter, by_host
FROM request WHERE id IN (
  SELECT case_id FROM deadline
  WHERE due_ms <= :now AND (due_ms, case_id) > (:after_ms, :after_id) ORDER BY due_ms, case_id LIMIT :limit
);

-- name: due_asks
-- As `asks`, of the most overdue cases.
SELECT case_id, n, kind, version, need, requires, opened_ms, expires_ms, state, seconds, due_ms, warn_ms, opens_ms,
  braked, braked_ms, braked_until_ms
FROM ask WHERE case_id IN (
  SELECT case_id FROM deadline
  WHERE due_ms <= :now AND (due_ms, case_id) > (:after_ms, :after_id) ORDER BY due_ms, case_id LIMIT :limit
) ORDER BY n;

-- name: due_steps
-- As `steps`, of the most overdue cases.
SELECT case_id, ask, idx, action, role, due_ms, page, also, state, why FROM step WHERE case_id IN (
  SELECT case_id FROM deadline
  WHERE due_ms <= :now AND (due_ms, case_id) > (:after_ms, :after_id) ORDER BY due_ms, case_id LIMIT :limit
) ORDER BY ask, n;

-- name: due_reached
-- As `reached`, of the most overdue cases.
SELECT case_id, ask, team_id, user_id, role, step, at_ms, for_owner, failed, paged FROM reached WHERE case_id IN (
  SELECT case_id FROM deadline
  WHERE due_ms <= :now AND (due_ms, case_id) > (:after_ms, :after_id) ORDER BY due_ms, case_id LIMIT :limit
) ORDER BY ask, n;

-- name: due_votes
-- As `votes`, of the most overdue cases.
SELECT case_id, ask, team_id, user_id, answer, role, at_ms, seconds, behalf_team, behalf_user, credential
FROM vote WHERE case_id IN (
  SELECT case_id FROM deadline
  WHERE due_ms <= :now AND (due_ms, case_id) > (:after_ms, :after_id) ORDER BY due_ms, case_id LIMIT :limit
) ORDER BY ask, n;

-- name: due_notes
-- As `notes`, of the most overdue cases.
SELECT case_id, ask, kind, team_id, user_id, at_ms, text, advice, digest FROM note WHERE case_id IN (
  SELECT case_id FROM deadline
  WHERE due_ms <= :now AND (due_ms, case_id) > (:after_ms, :after_id) ORDER BY due_ms, case_id LIMIT :limit
) ORDER BY ask, n;

-- name: due_grant
-- As `grant`, of the most overdue cases.
SELECT case_id, seconds, opened_ms, not_after_ms, state, ended_ms, ended_team, ended_user, warned, remind_ms
FROM access_grant WHERE case_id IN (
  SELECT case_id FROM deadline
  WHERE due_ms <= :now AND (due_ms, case_id) > (:after_ms, :after_id) ORDER BY due_ms, case_id LIMIT :limit
);

-- name: due_finding
-- As `finding`, of the most overdue cases.
SELECT case_id, noticed_ms, within_s, shared, source, outcome FROM finding WHERE case_id IN (
  SELECT case_id FROM deadline
  WHERE due_ms <= :now AND (due_ms, case_id) > (:after_ms, :after_id) ORDER BY due_ms, case_id LIMIT :limit
);

-- name: due_duties
-- As `duties`, of the most overdue cases.
SELECT case_id, kind, name, since_ms, due_ms, chase_ms, missed, done_ms, done_team, done_user FROM duty WHERE case_id IN (
  SELECT case_id FROM deadline
  WHERE due_ms <= :now AND (due_ms, case_id) > (:after_ms, :after_id) ORDER BY due_ms, case_id LIMIT :limit
) ORDER BY n;

-- name: due_calls
-- As `calls`, of the most overdue cases.
SELECT case_id, kind, asked_ms, not_after_ms, state, answered_ms, alarmed_ms FROM executor_call WHERE case_id IN (
  SELECT case_id FROM deadline
  WHERE due_ms <= :now AND (due_ms, case_id) > (:after_ms, :after_id) ORDER BY due_ms, case_id LIMIT :limit
) ORDER BY n;

-- name: due_cards
-- How many cards of each of the most overdue cases stand in Slack.
SELECT case_id, count(*) AS cards FROM copy WHERE purpose = 'card' AND case_id IN (
  SELECT case_id FROM deadline
  WHERE due_ms <= :now AND (due_ms, case_id) > (:after_ms, :after_id) ORDER BY due_ms, case_id LIMIT :limit
)
GROUP BY case_id;
