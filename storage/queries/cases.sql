-- A case and its parts: written by compare-and-swap, read whole; and the lists of cases.

-- name: insert_request
-- Files a request; an id that exists changes no row.
INSERT INTO request (
  id, kind, decision_right, runbook, runbook_sha256, policy_sha256, title, domain, provider, requester_team,
  requester_user, subject_team, subject_user, target, reason, fields, seconds, filed_ms, expires_ms, state, version,
  closed_ms, closed_team, closed_user, asks_before, last_outcome, denied_lately, terms, drill, drill_team,
  drill_user, matter, by_host
) VALUES (
  :id, :kind, :decision_right, :runbook, :runbook_sha256, :policy_sha256, :title, :domain, :provider, :requester_team,
  :requester_user, :subject_team, :subject_user, :target, :reason, :fields, :seconds, :filed_ms, :expires_ms, :state,
  :version, :closed_ms, :closed_team, :closed_user, :asks_before, :last_outcome, :denied_lately,
  :terms, :drill, :drill_team, :drill_user, :matter, :by_host
) ON CONFLICT (id) DO NOTHING;

-- name: swap_request
-- Compare-and-swap: an act counts only on the version it was judged on. No row changed means stale.
UPDATE request
SET version = version + 1, state = :state, closed_ms = :closed_ms, closed_team = :closed_team, closed_user = :closed_user
WHERE id = :id AND version = :version;

-- name: step_request
-- The same for an act that changes only what belongs to the request.
UPDATE request SET version = version + 1 WHERE id = :id AND version = :version;

-- name: text_came_since
-- A case that was emptied holds text again, and is to be emptied again.
UPDATE request SET emptied = 2 WHERE id = :id AND emptied = 1;

-- name: request_version
-- The version that a case has now.
SELECT version FROM request WHERE id = :id;

-- name: put_ask
-- Writes one ask of a case, new or changed.
INSERT INTO ask (case_id, n, kind, version, need, requires, opened_ms, expires_ms, state, seconds, due_ms, warn_ms, opens_ms,
  braked, braked_ms, braked_until_ms)
VALUES (
  :case_id, :n, :kind, :version, :need, :requires, :opened_ms, :expires_ms, :state, :seconds, :due_ms, :warn_ms, :opens_ms,
  :braked, :braked_ms, :braked_until_ms
)
ON CONFLICT (case_id, n) DO UPDATE SET
  kind = excluded.kind, version = excluded.version, need = excluded.need, requires = excluded.requires,
  opened_ms = excluded.opened_ms, expires_ms = excluded.expires_ms, state = excluded.state, warn_ms = excluded.warn_ms,
  opens_ms = excluded.opens_ms, braked = excluded.braked, braked_ms = excluded.braked_ms,
  braked_until_ms = excluded.braked_until_ms;

-- name: put_step
-- Writes one step of an ask, new or changed.
INSERT INTO step (case_id, ask, n, idx, action, role, due_ms, page, also, state, why)
VALUES (:case_id, :ask, :n, :idx, :action, :role, :due_ms, :page, :also, :state, :why)
ON CONFLICT (case_id, ask, n) DO UPDATE SET
  idx = excluded.idx, action = excluded.action, role = excluded.role, due_ms = excluded.due_ms, page = excluded.page,
  also = excluded.also, state = excluded.state, why = excluded.why;

-- name: put_reached
-- Writes one person whom an ask reached, new or changed.
INSERT INTO reached (case_id, ask, n, team_id, user_id, role, step, at_ms, for_owner, failed, paged)
VALUES (:case_id, :ask, :n, :team_id, :user_id, :role, :step, :at_ms, :for_owner, :failed, :paged)
ON CONFLICT (case_id, ask, n) DO UPDATE SET
  team_id = excluded.team_id, user_id = excluded.user_id, role = excluded.role, step = excluded.step,
  at_ms = excluded.at_ms, for_owner = excluded.for_owner, failed = excluded.failed, paged = excluded.paged;

-- name: put_vote
-- Writes one vote of an ask, new or changed.
INSERT INTO vote (case_id, ask, n, team_id, user_id, answer, role, at_ms, seconds, behalf_team, behalf_user, credential)
VALUES (
  :case_id, :ask, :n, :team_id, :user_id, :answer, :role, :at_ms, :seconds, :behalf_team, :behalf_user, :credential
)
ON CONFLICT (case_id, ask, n) DO UPDATE SET
  team_id = excluded.team_id, user_id = excluded.user_id, answer = excluded.answer, role = excluded.role,
  at_ms = excluded.at_ms, seconds = excluded.seconds, behalf_team = excluded.behalf_team,
  behalf_user = excluded.behalf_user, credential = excluded.credential;

-- name: put_note
-- Writes one note beside an ask, new or changed.
INSERT INTO note (case_id, ask, n, kind, team_id, user_id, at_ms, text, advice)
VALUES (:case_id, :ask, :n, :kind, :team_id, :user_id, :at_ms, :text, :advice)
ON CONFLICT (case_id, ask, n) DO UPDATE SET
  kind = excluded.kind, team_id = excluded.team_id, user_id = excluded.user_id, at_ms = excluded.at_ms,
  text = excluded.text, advice = excluded.advice, digest = '';

-- name: put_grant
-- Writes the grant of a case, new or changed.
INSERT INTO access_grant (
  case_id, seconds, opened_ms, not_after_ms, state, ended_ms, ended_team, ended_user, warned, remind_ms
) VALUES (
  :case_id, :seconds, :opened_ms, :not_after_ms, :state, :ended_ms, :ended_team, :ended_user, :warned, :remind_ms
)
ON CONFLICT (case_id) DO UPDATE SET
  seconds = excluded.seconds, opened_ms = excluded.opened_ms, not_after_ms = excluded.not_after_ms,
  state = excluded.state, ended_ms = excluded.ended_ms, ended_team = excluded.ended_team,
  ended_user = excluded.ended_user, warned = excluded.warned, remind_ms = excluded.remind_ms;

-- name: put_finding
-- Writes what a finding has beside its request, new or changed.
INSERT INTO finding (case_id, noticed_ms, within_s, shared, source, outcome)
VALUES (:case_id, :noticed_ms, :within_s, :shared, :source, :outcome)
ON CONFLICT (case_id) DO UPDATE SET
  noticed_ms = excluded.noticed_ms, shared = excluded.shared, outcome = excluded.outcome;

-- name: put_duty
-- Writes what is owed after a grant, new or changed.
INSERT INTO duty (case_id, n, kind, name, since_ms, due_ms, chase_ms, missed, done_ms, done_team, done_user)
VALUES (:case_id, :n, :kind, :name, :since_ms, :due_ms, :chase_ms, :missed, :done_ms, :done_team, :done_user)
ON CONFLICT (case_id, n) DO UPDATE SET
  chase_ms = excluded.chase_ms, missed = excluded.missed, done_ms = excluded.done_ms, done_team = excluded.done_team,
  done_user = excluded.done_user;

-- name: put_call
-- Writes what an executor is told, new or changed; its attempts go on.
INSERT INTO executor_call (case_id, n, kind, asked_ms, not_after_ms, state, answered_ms, alarmed_ms, next_ms)
VALUES (:case_id, :n, :kind, :asked_ms, :not_after_ms, :state, :answered_ms, :alarmed_ms, :asked_ms)
ON CONFLICT (case_id, n) DO UPDATE SET
  state = excluded.state, answered_ms = excluded.answered_ms, alarmed_ms = excluded.alarmed_ms;

-- name: request
-- What was filed, with its state.
SELECT
  id, kind, decision_right, runbook, runbook_sha256, policy_sha256, title, domain, provider, requester_team,
  requester_user, subject_team, subject_user, target, reason, fields, seconds, filed_ms, expires_ms, state, version,
  closed_ms, closed_team, closed_user, asks_before, last_outcome, denied_lately, terms, drill, drill_team,
  drill_user, emptied, matter, by_host
FROM request WHERE id = :id;

-- name: asks
-- The asks of a case, in order.
SELECT case_id, n, kind, version, need, requires, opened_ms, expires_ms, state, seconds, due_ms, warn_ms, opens_ms,
  braked, braked_ms, braked_until_ms
FROM ask WHERE case_id = :id ORDER BY n;

-- name: steps
-- The steps of all asks of a case, in order.
SELECT case_id, ask, idx, action, role, due_ms, page, also, state, why FROM step WHERE case_id = :id ORDER BY ask, n;

-- name: reached
-- Whom the asks of a case reached, in order.
SELECT case_id, ask, team_id, user_id, role, step, at_ms, for_owner, failed, paged
FROM reached WHERE case_id = :id ORDER BY ask, n;

-- name: votes
-- The votes on the asks of a case, in order.
SELECT case_id, ask, team_id, user_id, answer, role, at_ms, seconds, behalf_team, behalf_user, credential
FROM vote WHERE case_id = :id ORDER BY ask, n;

-- name: notes
-- What was said or done beside deciding, in order.
SELECT case_id, ask, kind, team_id, user_id, at_ms, text, advice, digest FROM note WHERE case_id = :id ORDER BY ask, n;

-- name: grant
-- The grant of a case.
SELECT case_id, seconds, opened_ms, not_after_ms, state, ended_ms, ended_team, ended_user, warned, remind_ms
FROM access_grant WHERE case_id = :id;

-- name: finding
-- What a finding has beside its request.
SELECT case_id, noticed_ms, within_s, shared, source, outcome FROM finding WHERE case_id = :id;

-- name: granted_since
-- Grants that are open, or ended since then.
SELECT case_id FROM access_grant WHERE state = 'open' OR ended_ms >= :since ORDER BY case_id;

-- name: findings_of_domain
-- Findings of a domain that are not closed, the next ladder to end first.
SELECT id, expires_ms, target, emptied FROM request
WHERE kind = 'finding' AND state <> 'closed' AND domain = :domain ORDER BY expires_ms, id LIMIT :limit;

-- name: findings_of_provider
-- Findings that a provider filed and that are not closed.
SELECT id, expires_ms FROM request
WHERE kind = 'finding' AND state <> 'closed' AND provider = :provider ORDER BY expires_ms, id LIMIT :limit;

-- name: duties
-- What is owed after a grant, in order.
SELECT case_id, kind, name, since_ms, due_ms, chase_ms, missed, done_ms, done_team, done_user
FROM duty WHERE case_id = :id ORDER BY n;

-- name: calls
-- What the executor of a case is told, in order.
SELECT case_id, kind, asked_ms, not_after_ms, state, answered_ms, alarmed_ms
FROM executor_call WHERE case_id = :id ORDER BY n;

-- name: pending_of_domain
-- Pending cases of a domain, the next to expire first; never a drill.
SELECT id, expires_ms FROM request
WHERE state = 'pending' AND domain = :domain AND drill = '' ORDER BY expires_ms, id LIMIT :limit;

-- name: pending_of_provider
-- Pending cases of a provider, the next to expire first; never a drill.
SELECT id, expires_ms FROM request
WHERE state = 'pending' AND provider = :provider AND drill = '' ORDER BY expires_ms, id LIMIT :limit;

-- name: cases_of
-- What a person asked for, newest first.
SELECT id FROM request
WHERE requester_team = :team AND requester_user = :user ORDER BY filed_ms DESC, id DESC LIMIT :limit;

-- name: newest_of_domain
-- Requests of a domain, the newest first; never a drill.
SELECT id, filed_ms FROM request WHERE domain = :domain AND drill = '' ORDER BY filed_ms DESC, id DESC LIMIT :limit;

-- name: newest_of_provider
-- Requests of a provider, the newest first; never a drill.
SELECT id, filed_ms FROM request WHERE provider = :provider AND drill = '' ORDER BY filed_ms DESC, id DESC LIMIT :limit;

-- name: waiting_for
-- Cases with an open ask that has reached the person, the next to expire first; never a drill.
SELECT DISTINCT r.id, r.expires_ms
FROM reached AS p
JOIN ask AS a ON a.case_id = p.case_id AND a.n = p.ask
JOIN request AS r ON r.id = p.case_id
WHERE p.user_id = :user AND p.team_id = :team AND a.state = 'open' AND r.drill = ''
  AND (r.state = 'pending' OR a.kind <> 'approval')
ORDER BY r.expires_ms, r.id LIMIT :limit;

-- name: owing_of_provider
-- Cases of a provider for which something is owed, the most overdue first.
SELECT r.id FROM request AS r JOIN duty AS d ON d.case_id = r.id
WHERE d.done_ms IS NULL AND r.provider = :provider
GROUP BY r.id ORDER BY min(d.due_ms), r.id LIMIT :limit;

-- name: exceptions
-- Policy exceptions that were ever opened, the next to end first.
SELECT r.id FROM request AS r JOIN access_grant AS g ON g.case_id = r.id
WHERE r.kind = 'policy_exception' ORDER BY g.state <> 'open', g.not_after_ms, r.id LIMIT :limit;

-- name: open_exceptions
-- Those that are open.
SELECT r.id FROM access_grant AS g JOIN request AS r ON r.id = g.case_id
WHERE g.state = 'open' AND r.kind = 'policy_exception' ORDER BY g.not_after_ms, r.id LIMIT :limit;

-- name: matters
-- Cases that nobody filed, each with the state of its newest ask. Asked before every judgement: found by themselves first,
-- they are found by their index; ordered by id, SQLite would rather go through all requests.
SELECT r.id, r.matter, r.domain, r.runbook, r.runbook_sha256, r.subject_team, r.subject_user, r.target, a.state
FROM request AS r JOIN ask AS a ON a.case_id = r.id
WHERE r.id IN (SELECT m.id FROM request AS m WHERE m.matter <> '') AND a.n = (SELECT max(b.n) FROM ask AS b WHERE b.case_id = r.id) ORDER BY r.id;

-- name: uses_since
-- How often a provider used a runbook since then, refused, denied and expired requests aside, and the first time.
SELECT count(*) AS uses, min(filed_ms) AS oldest_ms FROM request
WHERE provider = :provider AND runbook = :runbook AND filed_ms > :since AND state IN ('pending', 'approved', 'opened');

-- name: autonomous_since
-- What was opened under autonomous rights of a domain since then, the oldest first.
SELECT id FROM request
WHERE domain = :domain AND decision_right = 'autonomous' AND state = 'opened' AND matter = '' AND filed_ms >= :since
ORDER BY filed_ms, id LIMIT :limit;

-- name: running_drill
-- The drill of a runbook that is under way; there is one at most.
SELECT id FROM request WHERE state = 'pending' AND drill <> '' AND runbook = :runbook LIMIT 1;

-- name: with_open_asks
-- Cases of a domain with a question that is still open, the next to close first; never a drill.
SELECT r.id FROM ask AS a JOIN request AS r ON r.id = a.case_id
WHERE a.state = 'open' AND r.domain = :domain AND r.drill = ''
GROUP BY r.id ORDER BY min(a.expires_ms), r.id LIMIT :limit;

-- name: live_versions
-- What is pending or has an open grant, and its version.
SELECT id, version FROM request WHERE state = 'pending'
UNION
SELECT r.id, r.version FROM access_grant AS g CROSS JOIN request AS r WHERE r.id = g.case_id AND g.state = 'open';
