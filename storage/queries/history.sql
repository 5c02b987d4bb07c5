-- What earlier requests say about a new one, and what others decided for somebody.

-- name: glass_openings
-- How often a provider broke the glass in a domain.
SELECT count(*) AS opened FROM request AS r JOIN ask AS a ON a.case_id = r.id AND a.n = 0
WHERE r.provider = :provider AND r.domain = :domain AND r.state = 'opened' AND r.filed_ms >= :since
  AND a.kind = 'ratification';

-- name: glass_overdue
-- A ratification or review of a break-glass that nobody answered in time.
SELECT 1 AS overdue FROM request AS r
JOIN ask AS a ON a.case_id = r.id AND a.n = 0 AND a.kind = 'ratification'
JOIN ask AS o ON o.case_id = r.id AND o.kind IN ('ratification', 'review')
WHERE r.provider = :provider AND r.domain = :domain AND r.state = 'opened' AND o.due_ms <= :now
  AND (o.state = 'open' OR (o.state = 'expired' AND o.due_ms >= :since))
LIMIT 1;

-- name: wakings
-- When a user id woke people of a domain, oldest first: pages of one request at one moment, Escalate now, a break-glass opened.
SELECT r.id, p.at_ms FROM request AS r JOIN reached AS p ON p.case_id = r.id AND p.paged = 1 AND p.at_ms > :since
WHERE r.requester_user = :user AND r.domain = :domain AND r.drill = '' AND (r.closed_ms IS NULL OR r.closed_ms > :since)
UNION
SELECT r.id, n.at_ms FROM request AS r JOIN note AS n ON n.case_id = r.id AND n.kind = 'push' AND n.at_ms > :since
WHERE r.requester_user = :user AND r.domain = :domain AND (r.closed_ms IS NULL OR r.closed_ms > :since)
UNION
SELECT r.id, r.filed_ms FROM request AS r JOIN ask AS a ON a.case_id = r.id AND a.n = 0 AND a.kind = 'ratification'
WHERE r.requester_user = :user AND r.domain = :domain AND r.filed_ms > :since
ORDER BY 2;

-- name: braked_since
-- How often nobody was paged for a user id's requests in a domain, because they had woken enough.
SELECT count(*) AS braked FROM request AS r JOIN ask AS a ON a.case_id = r.id AND a.braked_ms > :since
WHERE r.requester_user = :user AND r.domain = :domain AND (r.closed_ms IS NULL OR r.closed_ms > :since);

-- name: pending_of_requester
-- How many pending requests a user id has in a domain by runbook, whatever the workspace.
SELECT runbook, count(*) AS pending FROM request WHERE state = 'pending' AND requester_user = :user AND domain = :domain
GROUP BY runbook;

-- name: pending_of_runbook
-- The pending requests of a user id for a runbook, in whatever domain the runbook was. At most a few: brakes count them.
SELECT id, target, emptied FROM request
WHERE state = 'pending' AND requester_user = :user AND runbook = :runbook
ORDER BY filed_ms, id;

-- name: denials_since
-- Who denied requests of a provider for a runbook since then, as what, newest first.
SELECT r.id, r.target, r.emptied, v.team_id, v.user_id, v.role
FROM request AS r JOIN vote AS v ON v.case_id = r.id
WHERE r.provider = :provider AND r.runbook = :runbook AND r.state = 'denied' AND r.closed_ms > :since AND v.answer = 'no'
ORDER BY r.closed_ms DESC, v.at_ms DESC;

-- name: expiries_since
-- Requests of a provider for a runbook that expired since then.
SELECT id, target, emptied FROM request
WHERE provider = :provider AND runbook = :runbook AND state = 'expired' AND closed_ms > :since
ORDER BY closed_ms DESC;

-- name: asks_since
-- How often a provider asked for a runbook since then.
SELECT count(*) AS asks FROM request WHERE provider = :provider AND runbook = :runbook AND filed_ms > :since;

-- name: last_outcome
-- How the provider's last request for the runbook ended.
SELECT state FROM request
WHERE provider = :provider AND runbook = :runbook AND closed_ms IS NOT NULL
ORDER BY closed_ms DESC, id DESC LIMIT 1;

-- name: decided_for
-- What others answered on behalf of a person, oldest first.
SELECT v.case_id, r.title, r.state, a.kind, a.state AS ask_state, v.team_id, v.user_id, v.answer
FROM vote AS v JOIN ask AS a ON a.case_id = v.case_id AND a.n = v.ask JOIN request AS r ON r.id = v.case_id
WHERE v.behalf_user = :user AND v.behalf_team = :team AND v.at_ms >= :since_ms AND v.at_ms <= :until_ms
ORDER BY v.at_ms, v.case_id, v.ask, v.n LIMIT :limit;
