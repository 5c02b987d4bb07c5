-- Every statement of the program. Each has a name, a comment, and named parameters (`:name`) only; the same text is meant
-- for SQLite and PostgreSQL. Times are integer milliseconds since 1970 UTC.

-- ── cases ───────────────────────────────────────────────────────────────────────────────────────────────────────────

-- name: insert_request
-- Files a request; an id that exists changes no row.
INSERT INTO request (
  id, kind, decision_right, runbook, runbook_sha256, policy_sha256, title, domain, provider, requester_team,
  requester_user, subject_team, subject_user, target, reason, fields, seconds, filed_ms, expires_ms, state, version,
  closed_ms, closed_team, closed_user, asks_before, last_outcome, denied_lately, terms, drill, drill_team,
  drill_user, matter
) VALUES (
  :id, :kind, :decision_right, :runbook, :runbook_sha256, :policy_sha256, :title, :domain, :provider, :requester_team,
  :requester_user, :subject_team, :subject_user, :target, :reason, :fields, :seconds, :filed_ms, :expires_ms, :state,
  :version, :closed_ms, :closed_team, :closed_user, :asks_before, :last_outcome, :denied_lately,
  :terms, :drill, :drill_team, :drill_user, :matter
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
INSERT INTO ask (case_id, n, kind, version, need, requires, opened_ms, expires_ms, state, seconds, due_ms, warn_ms, opens_ms)
VALUES (
  :case_id, :n, :kind, :version, :need, :requires, :opened_ms, :expires_ms, :state, :seconds, :due_ms, :warn_ms, :opens_ms
)
ON CONFLICT (case_id, n) DO UPDATE SET
  kind = excluded.kind, version = excluded.version, need = excluded.need, requires = excluded.requires,
  opened_ms = excluded.opened_ms, expires_ms = excluded.expires_ms, state = excluded.state, warn_ms = excluded.warn_ms,
  opens_ms = excluded.opens_ms;

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
INSERT INTO vote (case_id, ask, n, team_id, user_id, answer, role, at_ms, seconds, behalf_team, behalf_user)
VALUES (:case_id, :ask, :n, :team_id, :user_id, :answer, :role, :at_ms, :seconds, :behalf_team, :behalf_user)
ON CONFLICT (case_id, ask, n) DO UPDATE SET
  team_id = excluded.team_id, user_id = excluded.user_id, answer = excluded.answer, role = excluded.role,
  at_ms = excluded.at_ms, seconds = excluded.seconds, behalf_team = excluded.behalf_team,
  behalf_user = excluded.behalf_user;

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
  WHERE r.state = 'pending' AND s.state = 'fired' AND s.action = 'notify'
    AND (s.role = 'on_call' OR s.also LIKE '%"on_call"%')
);

-- name: request
-- What was filed, with its state.
SELECT
  id, kind, decision_right, runbook, runbook_sha256, policy_sha256, title, domain, provider, requester_team,
  requester_user, subject_team, subject_user, target, reason, fields, seconds, filed_ms, expires_ms, state, version,
  closed_ms, closed_team, closed_user, asks_before, last_outcome, denied_lately, terms, drill, drill_team,
  drill_user, emptied, matter
FROM request WHERE id = :id;

-- name: asks
-- The asks of a case, in order.
SELECT case_id, n, kind, version, need, requires, opened_ms, expires_ms, state, seconds, due_ms, warn_ms, opens_ms
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
SELECT case_id, ask, team_id, user_id, answer, role, at_ms, seconds, behalf_team, behalf_user
FROM vote WHERE case_id = :id ORDER BY ask, n;

-- name: notes
-- What was said or done beside deciding, in order.
SELECT case_id, ask, kind, team_id, user_id, at_ms, text, advice, digest FROM note WHERE case_id = :id ORDER BY ask, n;

-- name: grant
-- The grant of a case.
SELECT case_id, seconds, opened_ms, not_after_ms, state, ended_ms, ended_team, ended_user, warned, remind_ms
FROM access_grant WHERE case_id = :id;

-- name: duties
-- What is owed after a grant, in order.
SELECT case_id, kind, name, since_ms, due_ms, chase_ms, missed, done_ms, done_team, done_user
FROM duty WHERE case_id = :id ORDER BY n;

-- name: calls
-- What the executor of a case is told, in order.
SELECT case_id, kind, asked_ms, not_after_ms, state, answered_ms, alarmed_ms
FROM executor_call WHERE case_id = :id ORDER BY n;

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
  drill_user, emptied, matter
FROM request WHERE id IN (
  SELECT case_id FROM deadline
  WHERE due_ms <= :now AND (due_ms, case_id) > (:after_ms, :after_id) ORDER BY due_ms, case_id LIMIT :limit
);

-- name: due_asks
-- As `asks`, of the most overdue cases.
SELECT case_id, n, kind, version, need, requires, opened_ms, expires_ms, state, seconds, due_ms, warn_ms, opens_ms
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
SELECT case_id, ask, team_id, user_id, answer, role, at_ms, seconds, behalf_team, behalf_user
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
SELECT r.id, r.matter, r.domain, r.runbook, r.runbook_sha256, r.subject_team, r.subject_user, a.state
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

-- ── what earlier requests say ───────────────────────────────────────────────────────────────────────────────────────

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

-- name: pending_of_requester
-- How many pending requests a user id has in a domain, whatever the workspace.
SELECT count(*) AS pending FROM request WHERE state = 'pending' AND requester_user = :user AND domain = :domain;

-- name: same_pending
-- A pending request of the same user id, runbook and target, in whatever domain the runbook was.
SELECT id FROM request
WHERE state = 'pending' AND requester_user = :user AND runbook = :runbook AND target = :target
ORDER BY filed_ms, id LIMIT 1;

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

-- ── inbox ───────────────────────────────────────────────────────────────────────────────────────────────────────────

-- name: take_in
-- One row for each key; a repeat changes nothing.
INSERT INTO inbox (key, act, answer, received_ms, next_ms) VALUES (:key, :act, :answer, :now, :now)
ON CONFLICT (key) DO NOTHING;

-- name: inbox_answer
-- What the first delivery of a key was answered.
SELECT answer FROM inbox WHERE key = :key;

-- name: inbox
-- Unfinished rows whose next attempt is due, oldest first.
SELECT id, key, act, answer, received_ms, attempts FROM inbox
WHERE done_ms IS NULL AND next_ms <= :now ORDER BY id LIMIT :limit;

-- name: put_off
-- The row failed for now: it counts an attempt and waits.
UPDATE inbox SET attempts = attempts + 1, next_ms = :until WHERE id = :id AND done_ms IS NULL;

-- name: finish_inbox
-- The act is carried out, once. Its text goes at once; key and answer stay for a repeat.
UPDATE inbox SET done_ms = :now, act = '' WHERE id = :id AND done_ms IS NULL;

-- ── outbox ──────────────────────────────────────────────────────────────────────────────────────────────────────────

-- name: insert_outbox
-- Something to be said.
INSERT INTO outbox (lane, purpose, case_id, to_team, to_user, channel, data, key, created_ms, not_before_ms)
VALUES (:lane, :purpose, :case_id, :to_team, :to_user, :channel, :data, :key, :now, :now);

-- name: replace_outbox
-- A later word takes the place of an unsent earlier one with its key, and its turn.
UPDATE outbox
SET lane = :lane, purpose = :purpose, case_id = :case_id, to_team = :to_team, to_user = :to_user, channel = :channel,
  data = :data
WHERE key = :key AND key <> '' AND done_ms IS NULL AND leased_until_ms <= :now;

-- name: waits_under_key
-- Whether something waits to be said under a key.
SELECT 1 AS found FROM outbox WHERE key = :key AND key <> '' AND done_ms IS NULL AND leased_until_ms = 0 LIMIT 1;

-- name: refresh_copies
-- Every copy of a case is to be redrawn, but for plain ones; one that waits for it already needs no second.
INSERT INTO outbox (lane, purpose, case_id, to_team, to_user, channel, data, key, copy_id, created_ms, not_before_ms)
SELECT :lane, c.purpose, c.case_id, c.to_team, c.to_user, c.channel, '{}', '', c.id, :now, :now
FROM copy AS c
WHERE c.case_id = :case_id AND c.plain = 0 AND NOT EXISTS (
  SELECT 1 FROM outbox AS o WHERE o.copy_id = c.id AND o.done_ms IS NULL AND o.leased_until_ms <= :now
)
ORDER BY c.id;

-- name: refresh_copy
-- One copy shows an older version than what it is about has: it is to be redrawn, unless it waits for that already.
INSERT INTO outbox (lane, purpose, case_id, to_team, to_user, channel, data, key, copy_id, created_ms, not_before_ms)
SELECT :lane, c.purpose, c.case_id, c.to_team, c.to_user, c.channel, '{}', '', c.id, :now, :now
FROM copy AS c LEFT JOIN request AS r ON r.id = c.case_id LEFT JOIN operator_act AS a ON a.id = c.case_id
WHERE c.id = :id AND c.plain = 0 AND (r.version > :drawn OR a.version > :drawn) AND NOT EXISTS (
  SELECT 1 FROM outbox AS o WHERE o.copy_id = c.id AND o.done_ms IS NULL AND o.leased_until_ms <= :now
);

-- name: something_to_lease
-- Whether a lease would find anything: asked before every lease, so that an empty one writes nothing.
SELECT 1 AS found FROM outbox
WHERE done_ms IS NULL AND not_before_ms <= :now AND leased_until_ms <= :now AND (purpose = 'pager') = :pages LIMIT 1;

-- name: lease
-- Takes what can be said now, in Slack or (`pages`) beside it: lanes first, oldest first; never two redraws of one copy at a time.
UPDATE outbox SET leased_until_ms = :until, attempts = attempts + 1
WHERE id IN (
  SELECT o.id FROM outbox AS o
  WHERE o.done_ms IS NULL AND o.not_before_ms <= :now AND o.leased_until_ms <= :now
    AND (o.purpose = 'pager') = :pages AND NOT EXISTS (
    SELECT 1 FROM outbox AS other
    WHERE other.copy_id = o.copy_id AND other.done_ms IS NULL AND other.leased_until_ms > :now
  )
  ORDER BY o.lane, o.id LIMIT :limit
)
RETURNING id, lane, purpose, case_id, to_team, to_user, channel, data, key, copy_id, created_ms, attempts - 1 AS attempts;

-- name: free_leases
-- A new process holds nothing: what a dead one had taken is free again at once.
UPDATE outbox SET leased_until_ms = 0 WHERE done_ms IS NULL AND leased_until_ms > 0;

-- name: release
-- It could not be said now.
UPDATE outbox SET leased_until_ms = 0, not_before_ms = :not_before, error = :error
WHERE id = :id AND done_ms IS NULL;

-- name: slack_is_back
-- What waits only because Slack was silent (the words of `handlers.web_api.errors.UNANSWERED`) may go now.
UPDATE outbox SET not_before_ms = :now
WHERE done_ms IS NULL AND not_before_ms > :now AND purpose <> 'pager'
  AND error IN ('timeout', 'network', 'http_500', 'http_502', 'http_503', 'http_504');

-- name: drop_twins
-- A redraw that goes back to waiting makes the one asked for meanwhile superfluous.
DELETE FROM outbox WHERE copy_id = :copy_id AND id <> :id AND done_ms IS NULL AND leased_until_ms <= :now;

-- name: drop_outbox
-- It stands in Slack; its text is not kept here.
DELETE FROM outbox WHERE id = :id AND done_ms IS NULL;

-- name: give_up
-- It will never be said. The reason stays, the text goes.
UPDATE outbox SET done_ms = :now, error = :error, data = '{}', leased_until_ms = 0 WHERE id = :id AND done_ms IS NULL;

-- name: put_copy
-- A message of ours that stands in Slack.
INSERT INTO copy (case_id, purpose, to_team, to_user, channel, ts, drawn, plain)
VALUES (:case_id, :purpose, :to_team, :to_user, :channel, :ts, :drawn, :plain)
ON CONFLICT (channel, ts) DO UPDATE SET drawn = excluded.drawn
RETURNING id;

-- name: drew_copy
-- A copy was redrawn.
UPDATE copy SET drawn = :drawn WHERE id = :id;

-- name: drop_copy
-- A message of ours that can no longer be reached.
DELETE FROM copy WHERE id = :id;

-- name: copy
-- One copy.
SELECT id, case_id, purpose, to_team, to_user, channel, ts, drawn FROM copy WHERE id = :id;

-- name: copies
-- The copies of a case, oldest first.
SELECT id, case_id, purpose, to_team, to_user, channel, ts, drawn FROM copy WHERE case_id = :case_id ORDER BY id;

-- ── executors ───────────────────────────────────────────────────────────────────────────────────────────────────────

-- name: something_to_call
-- Whether a lease of calls would find anything: asked before every lease, so that an empty one writes nothing.
SELECT 1 AS found FROM executor_call WHERE state = 'waiting' AND next_ms <= :now AND leased_until_ms <= :now LIMIT 1;

-- name: lease_calls
-- Takes calls whose time has come, oldest first; never while another call of the same case is on its way.
UPDATE executor_call SET leased_until_ms = :until, attempts = attempts + 1
WHERE (case_id, n) IN (
  SELECT c.case_id, c.n FROM executor_call AS c
  WHERE c.state = 'waiting' AND c.next_ms <= :now AND c.leased_until_ms <= :now AND NOT EXISTS (
    SELECT 1 FROM executor_call AS other
    WHERE other.case_id = c.case_id AND other.n <> c.n AND other.leased_until_ms > :now
  )
  ORDER BY c.next_ms, c.case_id, c.n LIMIT :limit
)
RETURNING case_id, n, attempts;

-- name: release_call
-- An attempt is over; what still waits is tried again then.
UPDATE executor_call SET leased_until_ms = 0, next_ms = :next_ms, error = :error WHERE case_id = :case_id AND n = :n;

-- name: free_calls
-- A new process has nothing on its way.
UPDATE executor_call SET leased_until_ms = 0 WHERE leased_until_ms > 0;

-- name: unclosed
-- Ends of grants that their system has not confirmed, and since when the oldest.
SELECT count(*) AS waiting, min(asked_ms) AS oldest_ms FROM executor_call WHERE state = 'waiting' AND kind = 'close';

-- ── policy ──────────────────────────────────────────────────────────────────────────────────────────────────────────

-- name: put_blob
-- The bytes of a file, once.
INSERT INTO blob (sha256, content) VALUES (:sha256, :content) ON CONFLICT (sha256) DO NOTHING;

-- name: put_policy_file
-- A file of a set, once.
INSERT INTO policy_file (digest, path, sha256) VALUES (:digest, :path, :sha256) ON CONFLICT (digest, path) DO NOTHING;

-- name: insert_policy_set
-- A set is the last accepted from now on.
INSERT INTO policy_set (digest, accepted_ms) VALUES (:digest, :accepted_ms);

-- name: last_policy_set
-- The set accepted last.
SELECT digest, accepted_ms FROM policy_set ORDER BY n DESC LIMIT 1;

-- name: policy_set
-- A set and when it was accepted last.
SELECT digest, accepted_ms FROM policy_set WHERE digest = :digest ORDER BY n DESC LIMIT 1;

-- name: policy_files
-- The files of a set.
SELECT f.path, f.sha256, b.content FROM policy_file AS f JOIN blob AS b ON b.sha256 = f.sha256
WHERE f.digest = :digest ORDER BY f.path;

-- name: blob
-- The bytes of any file of any accepted set.
SELECT content FROM blob WHERE sha256 = :sha256;

-- ── the decision log ────────────────────────────────────────────────────────────────────────────────────────────────

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
-- What a digest of an entry discloses; a hold on its subject covers it too.
INSERT INTO log_private (digest, idx, disclosure, subject, hold_id)
SELECT :digest, :idx, :disclosure, :subject,
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

-- ── schema ──────────────────────────────────────────────────────────────────────────────────────────────────────────

-- name: create_schema_version
-- Which migrations the database has had.
CREATE TABLE IF NOT EXISTS schema_version (version INTEGER PRIMARY KEY, name TEXT NOT NULL, applied_ms BIGINT NOT NULL);

-- name: schema_version
-- The newest migration that the database has had.
SELECT coalesce(max(version), 0) AS version FROM schema_version;

-- name: insert_schema_version
-- A migration is applied.
INSERT INTO schema_version (version, name, applied_ms) VALUES (:version, :name, :applied_ms);

-- name: put_absence
-- Somebody is away until then; whoever is away already stays so since they went.
INSERT INTO absence (team_id, user_id, since_ms, until_ms) VALUES (:team, :user, :since_ms, :until_ms)
ON CONFLICT (team_id, user_id) DO UPDATE SET until_ms = excluded.until_ms;

-- name: drop_absence
-- Somebody is back: this very absence is over, once.
DELETE FROM absence WHERE team_id = :team AND user_id = :user AND until_ms = :until_ms;

-- name: absence
-- Since when somebody is away, and until when.
SELECT since_ms, until_ms FROM absence WHERE team_id = :team AND user_id = :user;

-- name: absences_over
-- Whose absence has passed.
SELECT team_id, user_id FROM absence WHERE until_ms <= :now ORDER BY until_ms, user_id;

-- name: decided_for
-- What others answered on behalf of a person, oldest first.
SELECT v.case_id, r.title, r.state, a.kind, a.state AS ask_state, v.team_id, v.user_id, v.answer
FROM vote AS v JOIN ask AS a ON a.case_id = v.case_id AND a.n = v.ask JOIN request AS r ON r.id = v.case_id
WHERE v.behalf_user = :user AND v.behalf_team = :team AND v.at_ms >= :since_ms AND v.at_ms <= :until_ms
ORDER BY v.at_ms, v.case_id, v.ask, v.n LIMIT :limit;

-- name: with_open_asks
-- Cases of a domain with a question that is still open, the next to close first; never a drill.
SELECT r.id FROM ask AS a JOIN request AS r ON r.id = a.case_id
WHERE a.state = 'open' AND r.domain = :domain AND r.drill = ''
GROUP BY r.id ORDER BY min(a.expires_ms), r.id LIMIT :limit;

-- name: absences
-- Who is away now.
SELECT team_id, user_id, until_ms FROM absence WHERE until_ms > :now;

-- name: policy_history
-- The last accepted sets, newest first.
SELECT digest, accepted_ms FROM policy_set ORDER BY n DESC LIMIT :limit;

-- name: feeds
-- Calendars as they were when they could last be read.
SELECT address, body, read_ms FROM feed;

-- name: keep_feed
-- A calendar could be read.
INSERT INTO feed (address, body, read_ms) VALUES (:address, :body, :read_ms)
ON CONFLICT (address) DO UPDATE SET body = excluded.body, read_ms = excluded.read_ms;

-- name: drop_feeds
-- What was read too long ago counts for nobody.
DELETE FROM feed WHERE read_ms < :before;

-- name: case_log
-- The entries of one case, oldest first.
SELECT idx, leaf, data, type, case_id, ts_ms FROM log_entry WHERE case_id = :case_id ORDER BY idx;

-- ── time ────────────────────────────────────────────────────────────────────────────────────────────────────────────

-- name: time_mark
-- How far time has come.
SELECT high_ms, steady_ms, boot, offset_ms, jump_ms, wished FROM time_mark;

-- name: keep_time_mark
-- Time goes on. A jump that stands is lifted by nobody here.
INSERT INTO time_mark (id, high_ms, steady_ms, boot, offset_ms, jump_ms)
VALUES (1, :high_ms, :steady_ms, :boot, :offset_ms, :jump_ms)
ON CONFLICT (id) DO UPDATE SET
  high_ms = excluded.high_ms, steady_ms = excluded.steady_ms, boot = excluded.boot, offset_ms = excluded.offset_ms,
  jump_ms = coalesce(time_mark.jump_ms, excluded.jump_ms);

-- name: lift_time_jump
-- An operator has accepted the clock as it stands.
UPDATE time_mark SET jump_ms = NULL, wished = 0;

-- name: wish_time_accepted
-- An operator accepts the jump that stands; whoever keeps the time does the rest.
UPDATE time_mark SET wished = 1 WHERE jump_ms IS NOT NULL;

-- name: clock_is_doubted
-- Whether a jump of the clock stands that nobody accepted.
SELECT jump_ms FROM time_mark WHERE jump_ms IS NOT NULL;

-- name: shift_requests
-- Time steps back: what was to end still ends after as long as it was given for, and what is older than a change of policy
-- stays older than it. Whoever judged a case judges it again.
UPDATE request SET version = version + 1, filed_ms = filed_ms + :by_ms, expires_ms = expires_ms + :by_ms
WHERE id IN (SELECT case_id FROM deadline);

-- name: shift_steps
-- … the steps that have not fired,
UPDATE step SET due_ms = due_ms + :by_ms
WHERE state = 'waiting' AND EXISTS (SELECT 1 FROM ask AS a WHERE a.case_id = step.case_id AND a.n = step.ask AND a.state = 'open');

-- name: shift_asks
-- … the open questions,
UPDATE ask SET opened_ms = opened_ms + :by_ms, expires_ms = expires_ms + :by_ms, due_ms = due_ms + :by_ms,
  warn_ms = warn_ms + :by_ms, opens_ms = opens_ms + :by_ms WHERE state = 'open';

-- name: shift_grants
-- … the open grants,
UPDATE access_grant SET opened_ms = opened_ms + :by_ms, not_after_ms = not_after_ms + :by_ms,
  remind_ms = remind_ms + :by_ms WHERE state = 'open';

-- name: shift_absences
-- … absences,
UPDATE absence SET since_ms = since_ms + :by_ms, until_ms = until_ms + :by_ms;

-- name: shift_duties
-- … what is owed,
UPDATE duty SET since_ms = since_ms + :by_ms, due_ms = due_ms + :by_ms, chase_ms = chase_ms + :by_ms WHERE done_ms IS NULL;

-- name: shift_deadlines
-- … the sweeper's looks,
UPDATE deadline SET due_ms = due_ms + :by_ms;

-- name: shift_calls
-- … what executors are told,
UPDATE executor_call SET asked_ms = asked_ms + :by_ms, next_ms = next_ms + :by_ms, alarmed_ms = alarmed_ms + :by_ms,
  not_after_ms = not_after_ms + :by_ms, leased_until_ms = leased_until_ms + :by_ms
WHERE state = 'waiting' OR leased_until_ms > 0;

-- name: shift_inbox
-- … what is to be tried again,
UPDATE inbox SET next_ms = next_ms + :by_ms WHERE done_ms IS NULL;

-- name: shift_outbox
-- … and what is to be said.
UPDATE outbox SET not_before_ms = not_before_ms + :by_ms, leased_until_ms = leased_until_ms + :by_ms
WHERE done_ms IS NULL;

-- ── free text of cases that are over ────────────────────────────────────────────────────────────────────────────────────

-- name: over_and_delivered
-- Cases that still hold text though nothing of them is open and nothing about them is unsaid.
SELECT r.id FROM request AS r
WHERE r.emptied <> 1 AND r.state <> 'pending'
  AND NOT EXISTS (SELECT 1 FROM access_grant AS g WHERE g.case_id = r.id AND g.state = 'open')
  AND NOT EXISTS (SELECT 1 FROM ask AS a WHERE a.case_id = r.id AND a.state = 'open')
  AND NOT EXISTS (SELECT 1 FROM outbox AS o WHERE o.case_id = r.id AND o.done_ms IS NULL)
  AND NOT EXISTS (SELECT 1 FROM executor_call AS c WHERE c.case_id = r.id AND c.state = 'waiting')
LIMIT :limit;

-- name: disclosures_of_case
-- What the digests of a case's entries disclose, in their order.
SELECT p.digest, p.disclosure, p.subject, e.type FROM log_entry AS e JOIN log_private AS p ON p.idx = e.idx
WHERE e.case_id = :case_id ORDER BY p.idx, p.digest;

-- name: notes_to_empty
-- Notes of a case whose text stands there whole.
SELECT case_id, ask, n, team_id, user_id, text FROM note WHERE case_id = :case_id AND text <> '' AND digest = '';

-- name: empty_note
-- What is left of a note, and where the rest stands.
UPDATE note SET text = :text, digest = :digest WHERE case_id = :case_id AND ask = :ask AND n = :n;

-- name: empty_request
-- The text of a request stands in log_private alone.
UPDATE request SET target = '', reason = '', fields = :fields, emptied = 1 WHERE id = :id;

-- ── erasure ─────────────────────────────────────────────────────────────────────────────────────────────────────────────

-- name: cases_about
-- Requests that a person asked for, is the subject of, was asked in, decided, wrote in, or is disclosed by.
SELECT DISTINCT r.id AS case_id FROM request AS r WHERE r.id IN (
  SELECT id FROM request WHERE requester_team = :team AND requester_user = :user
  UNION ALL SELECT id FROM request WHERE subject_team = :team AND subject_user = :user
  UNION ALL SELECT id FROM request WHERE closed_team = :team AND closed_user = :user
  UNION ALL SELECT case_id FROM reached WHERE team_id = :team AND user_id = :user
  UNION ALL SELECT case_id FROM vote WHERE team_id = :team AND user_id = :user
  UNION ALL SELECT case_id FROM note WHERE team_id = :team AND user_id = :user
  UNION ALL SELECT e.case_id FROM log_private AS p JOIN log_entry AS e ON e.idx = p.idx
    WHERE p.subject = :subject AND e.case_id IS NOT NULL
) ORDER BY r.id;

-- name: case_is_open
-- Whether something of a case is still open.
SELECT 1 AS found FROM request AS r WHERE r.id = :id AND (
  r.state = 'pending'
  OR EXISTS (SELECT 1 FROM access_grant AS g WHERE g.case_id = r.id AND g.state = 'open')
  OR EXISTS (SELECT 1 FROM ask AS a WHERE a.case_id = r.id AND a.state = 'open')
  OR EXISTS (SELECT 1 FROM executor_call AS c WHERE c.case_id = r.id AND c.state = 'waiting')
);

-- name: decided_until
-- When the newest case ended that a person asked for, decided on or revoked, or the newest operator's act that they confirmed
-- or refused; a drill asks for nothing and decides nothing.
SELECT max(until_ms) AS until_ms FROM (
  SELECT coalesce(g.ended_ms, r.closed_ms, r.filed_ms) AS until_ms
  FROM request AS r LEFT JOIN access_grant AS g ON g.case_id = r.id
  WHERE r.drill = '' AND (
    (r.requester_team = :team AND r.requester_user = :user)
    OR r.id IN (SELECT case_id FROM vote WHERE team_id = :team AND user_id = :user)
    OR (g.ended_team = :team AND g.ended_user = :user)
  )
  UNION ALL
  SELECT at_ms FROM operator_voice WHERE team_id = :team AND user_id = :user
);

-- name: unfinished_inbox_of
-- An act by or about a user that waits to be carried out.
SELECT 1 AS found FROM inbox WHERE done_ms IS NULL AND instr(act, :user) > 0 LIMIT 1;

-- name: being_said
-- Something about a case that the messenger has in its hands.
SELECT 1 AS found FROM outbox WHERE case_id = :case_id AND done_ms IS NULL AND leased_until_ms > :now LIMIT 1;

-- name: digests_about
-- The digests that disclose something about a person, in the order of their entries.
SELECT digest FROM log_private WHERE subject = :subject ORDER BY idx, digest;

-- name: erase_disclosures
-- What the log discloses about a person goes.
DELETE FROM log_private WHERE subject = :subject;

-- name: erase_released_holds
-- Holds on them that are over.
DELETE FROM hold WHERE subject = :subject AND released_ms IS NOT NULL;

-- name: strip_unsaid
-- What is still to be said about a case is said without what somebody typed.
UPDATE outbox SET data = json_remove(data, '$.reason', '$.text', '$.detail') WHERE case_id = :case_id AND done_ms IS NULL;

-- name: redraw_for_erasure
-- Each message about a case is redrawn, also those that never are; the key says for which act, and which message.
INSERT INTO outbox (lane, purpose, case_id, to_team, to_user, channel, data, key, copy_id, created_ms, not_before_ms)
SELECT :lane, c.purpose, c.case_id, c.to_team, c.to_user, c.channel, '{}', :act_id || ':' || c.ts, c.id, :now, :now
FROM copy AS c WHERE c.case_id = :case_id ORDER BY c.id;

-- name: erasure_redraws
-- The redraws of an erasure that wait or failed.
SELECT channel, key, error, done_ms FROM outbox WHERE key >= :act_id || ':' AND key < :act_id || ';' ORDER BY id;

-- name: bump_request
-- Whoever judged a case before judges it again.
UPDATE request SET version = version + 1 WHERE id = :id;

-- name: erase_requester
-- The account leaves every table of state: `-` stands for whoever was erased.
UPDATE request SET requester_team = '-', requester_user = '-' WHERE requester_team = :team AND requester_user = :user;

-- name: erase_case_subject
-- … as a request's subject,
UPDATE request SET subject_team = '-', subject_user = '-' WHERE subject_team = :team AND subject_user = :user;

-- name: erase_closer
-- … as who closed it,
UPDATE request SET closed_team = '-', closed_user = '-' WHERE closed_team = :team AND closed_user = :user;

-- name: erase_driller
-- … as who got a drill's cards,
UPDATE request SET drill_team = '-', drill_user = '-' WHERE drill_team = :team AND drill_user = :user;

-- name: erase_reached
-- … as somebody asked,
UPDATE reached SET team_id = '-', user_id = '-' WHERE team_id = :team AND user_id = :user;

-- name: erase_vote
-- … as who decided,
UPDATE vote SET team_id = '-', user_id = '-' WHERE team_id = :team AND user_id = :user;

-- name: erase_behalf
-- … as on whose behalf,
UPDATE vote SET behalf_team = '-', behalf_user = '-' WHERE behalf_team = :team AND behalf_user = :user;

-- name: erase_note
-- … as who said something,
UPDATE note SET team_id = '-', user_id = '-' WHERE team_id = :team AND user_id = :user;

-- name: erase_ender
-- … as who ended a grant,
UPDATE access_grant SET ended_team = '-', ended_user = '-' WHERE ended_team = :team AND ended_user = :user;

-- name: erase_duty
-- … as who handed something in,
UPDATE duty SET done_team = '-', done_user = '-' WHERE done_team = :team AND done_user = :user;

-- name: erase_copy
-- … as who reads a message,
UPDATE copy SET to_team = '-', to_user = '-' WHERE to_team = :team AND to_user = :user;

-- name: erase_said
-- … as whom something could not be said to, or is to be redrawn for,
UPDATE outbox SET to_team = '-', to_user = '-'
WHERE to_team = :team AND to_user = :user AND (done_ms IS NOT NULL OR copy_id IS NOT NULL);

-- name: erase_absence
-- … as somebody away,
DELETE FROM absence WHERE team_id = :team AND user_id = :user;

-- name: erase_home
-- … as who looks at their App Home,
DELETE FROM home WHERE team_id = :team AND user_id = :user;

-- name: erase_act_subject
-- … as whom an operator's act was about that is over (its messages are redrawn beside),
UPDATE operator_act SET subject_team = NULL, subject_user = NULL, version = version + 1
WHERE subject_team = :team AND subject_user = :user AND state NOT IN ('open', 'confirmed');

-- name: redraw_acts_for_erasure
-- Each message about an operator's act that named a person and is over is redrawn; the key as in redraw_for_erasure.
INSERT INTO outbox (lane, purpose, case_id, to_team, to_user, channel, data, key, copy_id, created_ms, not_before_ms)
SELECT :lane, c.purpose, c.case_id, c.to_team, c.to_user, c.channel, '{}', :act_id || ':' || c.ts, c.id, :now, :now
FROM copy AS c JOIN operator_act AS a ON a.id = c.case_id
WHERE a.subject_team = :team AND a.subject_user = :user AND a.state NOT IN ('open', 'confirmed') ORDER BY c.id;

-- name: erase_voice
-- … as who confirmed an operator's act,
UPDATE operator_voice SET team_id = '-', user_id = '-' WHERE team_id = :team AND user_id = :user;

-- name: erase_person
-- … and as who stands behind a pseudonym: a later entry about the same account makes a new one.
DELETE FROM person WHERE team_id = :team AND user_id = :user;

-- ── pruning ─────────────────────────────────────────────────────────────────────────────────────────────────────────────

-- name: first_to_keep
-- The first entry that stays whole: too young, of the last bundle, under a hold, or of a case that is open.
SELECT min(
  coalesce((SELECT min(idx) FROM log_entry WHERE ts_ms >= :before_ms), (SELECT size FROM log_head)),
  (SELECT (max(size, 1) - 1) / 256 * 256 FROM log_head),
  coalesce((SELECT min(idx) FROM log_private WHERE hold_id IS NOT NULL), (SELECT size FROM log_head)),
  coalesce((
    SELECT min(e.idx) FROM log_entry AS e WHERE e.case_id IN (
      SELECT id FROM request WHERE state = 'pending'
      UNION SELECT case_id FROM access_grant WHERE state = 'open'
      UNION SELECT case_id FROM ask WHERE state = 'open'
    )
  ), (SELECT size FROM log_head))
) AS idx;

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

-- ── epochs ──────────────────────────────────────────────────────────────────────────────────────────────────────────────

-- name: epochs
-- The entries that began a new epoch, oldest first.
SELECT idx, ts_ms, data FROM log_entry WHERE type = 'log.epoch_started' ORDER BY idx;

-- ── anchors ─────────────────────────────────────────────────────────────────────────────────────────────────────────────

-- name: anchored
-- The greatest size that left the host in a way, or by one address of it.
SELECT max(size) AS size FROM log_anchor WHERE kind = :kind AND (:ref IS NULL OR ref = :ref);

-- name: keep_anchor
-- A checkpoint left the host.
INSERT INTO log_anchor (size, kind, ref, blob, at) VALUES (:size, :kind, :ref, :blob, :at);

-- name: newest_anchors
-- The newest of each kind.
SELECT kind, max(size) AS size, max(at) AS at FROM log_anchor GROUP BY kind;

-- name: last_post
-- The checkpoint that the audit channel heard last.
SELECT size, at_ms FROM checkpoint_post;

-- name: note_post
-- It hears another one.
INSERT INTO checkpoint_post (id, size, at_ms) VALUES (1, :size, :now)
ON CONFLICT (id) DO UPDATE SET size = excluded.size, at_ms = excluded.at_ms;

-- ── acts of an operator, and holds ──────────────────────────────────────────────────────────────────────────────────────

-- name: insert_operator_act
-- Files an act; an id that exists changes no row.
INSERT INTO operator_act (
  id, kind, reason, filed_ms, expires_ms, subject_team, subject_user, hold, before_ms, state, version, closed_ms, result
) VALUES (
  :id, :kind, :reason, :filed_ms, :expires_ms, :subject_team, :subject_user, :hold, :before_ms, :state, :version,
  :closed_ms, :result
) ON CONFLICT (id) DO NOTHING;

-- name: swap_operator_act
-- Compare-and-swap, as for a request.
UPDATE operator_act
SET version = version + 1, state = :state, reason = :reason, closed_ms = :closed_ms, result = :result,
  subject_team = :subject_team, subject_user = :subject_user
WHERE id = :id AND version = :version;

-- name: begin_operator_act
-- What was confirmed has begun to be carried out, and is gone on with wherever it stops.
UPDATE operator_act SET result = :result WHERE id = :id AND state = 'confirmed' AND result = '';

-- name: put_operator_voice
-- Somebody's Confirm or Refuse.
INSERT INTO operator_voice (act_id, n, team_id, user_id, answer, at_ms)
VALUES (:act_id, :n, :team_id, :user_id, :answer, :at_ms);

-- name: operator_act
-- One act.
SELECT id, kind, reason, filed_ms, expires_ms, subject_team, subject_user, hold, before_ms, state, version, closed_ms, result
FROM operator_act WHERE id = :id;

-- name: unfinished_operator_acts
-- Acts that wait for people, for their end, or to be run; oldest first.
SELECT id FROM operator_act WHERE state IN ('open', 'confirmed') ORDER BY filed_ms, id;

-- name: operator_voices
-- Who confirmed or refused an act, in order.
SELECT team_id, user_id, answer, at_ms FROM operator_voice WHERE act_id = :id ORDER BY n;

-- name: person_of_ref
-- Who stands behind a pseudonym.
SELECT team_id, user_id FROM person WHERE ref = :ref;

-- name: place_hold
-- A hold stands from now on.
INSERT INTO hold (id, subject, placed_ms) VALUES (:id, :subject, :placed_ms);

-- name: release_hold
-- A hold ends, once.
UPDATE hold SET released_ms = :now WHERE id = :id AND released_ms IS NULL;

-- name: hold
-- A hold that stands.
SELECT id, subject, placed_ms FROM hold WHERE id = :id AND released_ms IS NULL;

-- name: holds_on
-- The holds that stand on a subject, oldest first.
SELECT id, subject, placed_ms FROM hold WHERE subject = :subject AND released_ms IS NULL ORDER BY placed_ms, id;

-- name: cover_by_holds
-- What a subject's disclosures are held by, after a hold on them came or went.
UPDATE log_private
SET hold_id = (SELECT id FROM hold WHERE subject = :subject AND released_ms IS NULL ORDER BY placed_ms, id LIMIT 1)
WHERE subject = :subject;

-- ── what an operator watches ────────────────────────────────────────────────────────────────────────────────────────

-- name: inbox_backlog
-- How much waits to be carried out, and since when.
SELECT count(*) AS waiting, min(received_ms) AS oldest_ms FROM inbox WHERE done_ms IS NULL;

-- name: outbox_backlog
-- How much waits to be said in each lane, and since when.
SELECT lane, count(*) AS waiting, min(created_ms) AS oldest_ms FROM outbox WHERE done_ms IS NULL GROUP BY lane ORDER BY lane;

-- name: due_backlog
-- How many deadlines have come and were not acted on yet, and since when.
SELECT count(*) AS waiting, min(due_ms) AS oldest_ms FROM deadline WHERE due_ms <= :now;

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
-- Requests that are pending or whose grant is open, oldest first.
SELECT r.id, r.kind, r.state, r.title, r.domain, r.provider, r.requester_team, r.requester_user, r.filed_ms, r.expires_ms,
  r.closed_ms, r.drill, g.state AS grant_state, g.not_after_ms
FROM request AS r LEFT JOIN access_grant AS g ON g.case_id = r.id
WHERE r.id IN (SELECT p.id FROM request AS p WHERE p.state = 'pending')
  OR r.id IN (SELECT o.case_id FROM access_grant AS o WHERE o.state = 'open')
ORDER BY r.filed_ms, r.id LIMIT :limit;

-- name: all_requests
-- Every request, oldest first.
SELECT r.id, r.kind, r.state, r.title, r.domain, r.provider, r.requester_team, r.requester_user, r.filed_ms, r.expires_ms,
  r.closed_ms, r.drill, g.state AS grant_state, g.not_after_ms
FROM request AS r LEFT JOIN access_grant AS g ON g.case_id = r.id
WHERE r.matter = ''
ORDER BY r.filed_ms, r.id LIMIT :limit;

-- ── evidence for an outsider ────────────────────────────────────────────────────────────────────────────────────────

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

-- ── App Homes ───────────────────────────────────────────────────────────────────────────────────────────────────────

-- name: put_home
-- Somebody looks at a page of their Home.
INSERT INTO home (team_id, user_id, page, opened_ms) VALUES (:team, :user, :page, :now)
ON CONFLICT (team_id, user_id) DO UPDATE SET page = excluded.page, opened_ms = excluded.opened_ms;

-- name: home_page
-- The page of their Home that somebody looked at last.
SELECT page FROM home WHERE team_id = :team AND user_id = :user;

-- name: homes_opened
-- Whose Home was opened lately.
SELECT team_id, user_id FROM home WHERE opened_ms >= :since ORDER BY opened_ms DESC;

-- name: redraw_home
-- A Home is to be drawn again; one that waits for it already needs no second.
INSERT INTO outbox (lane, purpose, case_id, to_team, to_user, channel, data, key, created_ms, not_before_ms)
SELECT :lane, 'home', NULL, h.team_id, h.user_id, NULL, '{}', :key, :now, :now
FROM home AS h
WHERE h.team_id = :team AND h.user_id = :user AND h.opened_ms >= :since AND NOT EXISTS (
  SELECT 1 FROM outbox AS o WHERE o.key = :key AND o.key <> '' AND o.done_ms IS NULL AND o.leased_until_ms <= :now
);

-- name: home_waiting
-- Open asks that have reached the person and that they have not answered, the next to expire first; never a drill.
SELECT DISTINCT r.id, r.requester_team, r.requester_user, r.provider, r.domain, r.expires_ms
FROM reached AS p
JOIN ask AS a ON a.case_id = p.case_id AND a.n = p.ask
JOIN request AS r ON r.id = p.case_id
WHERE p.user_id = :user AND p.team_id = :team AND a.state = 'open' AND r.drill = ''
  AND (r.state = 'pending' OR a.kind <> 'approval')
  AND NOT EXISTS (
    SELECT 1 FROM vote AS v
    WHERE v.case_id = a.case_id AND v.ask = a.n AND v.user_id = :user AND v.team_id = :team
  )
ORDER BY r.expires_ms, r.id LIMIT :limit;

-- name: home_live
-- Every open grant, the next to end first.
SELECT r.id, r.requester_team, r.requester_user, r.domain
FROM access_grant AS g JOIN request AS r ON r.id = g.case_id
WHERE g.state = 'open' ORDER BY g.not_after_ms, g.case_id;

-- name: home_owing
-- Cases for which a person owes something, the most overdue first.
SELECT r.id, min(d.due_ms) AS due_ms FROM duty AS d JOIN request AS r ON r.id = d.case_id
WHERE d.done_ms IS NULL AND d.kind <> 'verification' AND r.requester_team = :team AND r.requester_user = :user
GROUP BY r.id ORDER BY 2, r.id LIMIT :limit;
