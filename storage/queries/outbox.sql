-- What is to be said, and the messages of ours that are in Slack.

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

-- name: refresh_agreement_copies
-- Every message with somebody's own rows of the matrix is to be redrawn at `at`; one that waits for it already needs no second.
INSERT INTO outbox (lane, purpose, case_id, to_team, to_user, channel, data, key, copy_id, created_ms, not_before_ms)
SELECT :lane, c.purpose, c.case_id, c.to_team, c.to_user, c.channel, '{}', '', c.id, :now, :at
FROM copy AS c
WHERE c.purpose = 'agreement' AND c.plain = 0 AND NOT EXISTS (
  SELECT 1 FROM outbox AS o WHERE o.copy_id = c.id AND o.done_ms IS NULL AND o.leased_until_ms <= :now
)
ORDER BY c.id;

-- name: redrawn_for
-- Under which authority the open messages were drawn last.
SELECT authority FROM redrawn_for;

-- name: put_redrawn_for
-- They are to be drawn under this one.
INSERT INTO redrawn_for (one, authority) VALUES (1, :authority) ON CONFLICT (one) DO UPDATE SET authority = excluded.authority;

-- name: refresh_open
-- The same for every case with an open question or open access, and for open acts of an operator: somebody lost or gained authority.
INSERT INTO outbox (lane, purpose, case_id, to_team, to_user, channel, data, key, copy_id, created_ms, not_before_ms)
SELECT :lane, c.purpose, c.case_id, c.to_team, c.to_user, c.channel, '{}', '', c.id, :now, :now
FROM copy AS c
WHERE c.plain = 0 AND c.case_id IN (
  SELECT a.case_id FROM ask AS a WHERE a.state = 'open'
  UNION SELECT g.case_id FROM access_grant AS g WHERE g.state = 'open'
  UNION SELECT o.id FROM operator_act AS o WHERE o.state = 'open'
) AND NOT EXISTS (
  SELECT 1 FROM outbox AS o WHERE o.copy_id = c.id AND o.done_ms IS NULL AND o.leased_until_ms <= :now
)
ORDER BY c.id;

-- name: refresh_copy
-- One copy shows an older version than what it is about has: it is to be redrawn, unless it waits for that already.
INSERT INTO outbox (lane, purpose, case_id, to_team, to_user, channel, data, key, copy_id, created_ms, not_before_ms)
SELECT :lane, c.purpose, c.case_id, c.to_team, c.to_user, c.channel, '{}', '', c.id, :now, :now
FROM copy AS c LEFT JOIN request AS r ON r.id = c.case_id LEFT JOIN operator_act AS a ON a.id = c.case_id
  LEFT JOIN campaign AS v ON v.id = c.case_id
WHERE c.id = :id AND c.plain = 0 AND (r.version > :drawn OR a.version > :drawn OR v.version > :drawn) AND NOT EXISTS (
  SELECT 1 FROM outbox AS o WHERE o.copy_id = c.id AND o.done_ms IS NULL AND o.leased_until_ms <= :now
);

-- name: refresh_this
-- One copy is to be redrawn, unless it waits for that already.
INSERT INTO outbox (lane, purpose, case_id, to_team, to_user, channel, data, key, copy_id, created_ms, not_before_ms)
SELECT :lane, c.purpose, c.case_id, c.to_team, c.to_user, c.channel, '{}', '', c.id, :now, :now
FROM copy AS c
WHERE c.id = :id AND c.plain = 0 AND NOT EXISTS (
  SELECT 1 FROM outbox AS o WHERE o.copy_id = c.id AND o.done_ms IS NULL AND o.leased_until_ms <= :now
);

-- name: refresh_older_buttons
-- A newer button stands in the channel: the older ones that still show theirs (`drawn` 0) are to be redrawn without it.
INSERT INTO outbox (lane, purpose, case_id, to_team, to_user, channel, data, key, copy_id, created_ms, not_before_ms)
SELECT :lane, c.purpose, c.case_id, c.to_team, c.to_user, c.channel, '{}', '', c.id, :now, :now
FROM copy AS c
WHERE c.case_id = :case_id AND c.purpose = 'door' AND c.id < :newest AND c.drawn = 0 AND NOT EXISTS (
  SELECT 1 FROM outbox AS o WHERE o.copy_id = c.id AND o.done_ms IS NULL AND o.leased_until_ms <= :now
)
ORDER BY c.id;

-- name: something_to_lease
-- Whether a lease would find anything: asked before every lease, so that an empty one writes nothing.
SELECT 1 AS found FROM outbox
WHERE done_ms IS NULL AND not_before_ms <= :now AND leased_until_ms <= :now AND (purpose = 'pager') = (:pages = 1) LIMIT 1;

-- name: lease
-- Takes what can be said now, in Slack or (`pages`) beside it: lanes first, oldest first; never two redraws of one copy at a time.
UPDATE outbox SET leased_until_ms = :until, attempts = attempts + 1,
  error = CASE WHEN leased_until_ms > 0 THEN 'interrupted' ELSE error END
WHERE id IN (
  SELECT o.id FROM outbox AS o
  WHERE o.done_ms IS NULL AND o.not_before_ms <= :now AND o.leased_until_ms <= :now
    AND (o.purpose = 'pager') = (:pages = 1) AND NOT EXISTS (
    SELECT 1 FROM outbox AS other
    WHERE other.copy_id = o.copy_id AND other.done_ms IS NULL AND other.leased_until_ms > :now
  )
  ORDER BY o.lane, o.id LIMIT :limit
)
RETURNING id, lane, purpose, case_id, to_team, to_user, channel, data, key, copy_id, created_ms, error,
  attempts - 1 AS attempts;

-- name: free_lost_lease
-- The answer to a lease was lost: whatever it took, nobody got.
UPDATE outbox SET leased_until_ms = 0, attempts = attempts - 1 WHERE done_ms IS NULL AND leased_until_ms = :until;

-- name: free_leases
-- A new process holds nothing: what a dead one had taken is free again at once. Nobody knows whether it was said.
UPDATE outbox SET leased_until_ms = 0, error = 'interrupted' WHERE done_ms IS NULL AND leased_until_ms > 0;

-- name: release
-- It could not be said now.
UPDATE outbox SET leased_until_ms = 0, not_before_ms = :not_before, error = :error
WHERE id = :id AND done_ms IS NULL;

-- name: slack_is_back
-- What waits only because Slack answered nothing or refused the token (the words of `handlers.web_api.errors.UNANSWERED`) may go now.
UPDATE outbox SET not_before_ms = :now
WHERE done_ms IS NULL AND not_before_ms > :now AND purpose <> 'pager'
  AND error IN (
    'timeout', 'network', 'http_200', 'http_403', 'http_407', 'http_500', 'http_502', 'http_503', 'http_504',
    'internal_error', 'fatal_error', 'service_unavailable', 'request_timeout',
    'invalid_auth', 'not_authed', 'account_inactive', 'token_revoked', 'token_expired', 'not_allowed_token_type',
    'missing_scope', 'team_disabled', 'two_factor_setup_required', 'org_login_required', 'ekm_access_denied', 'accesslimited',
    'team_access_not_granted', 'enterprise_is_restricted'
  );

-- name: doubt_redraws
-- Another process drew it meanwhile, so whoever draws it next does not rely on what it drew last.
UPDATE outbox SET error = 'interrupted' WHERE copy_id = :copy_id AND done_ms IS NULL;

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

-- name: direct_channel
-- The conversation in which somebody's direct messages stand, where one is known.
SELECT channel FROM copy WHERE to_team = :team AND to_user = :user AND substr(channel, 1, 1) = 'D' ORDER BY id DESC LIMIT 1;

-- name: asking_to_endorse
-- The messages that ask to endorse a change of the signing keys and still say so (`drawn` 0); `;` follows `:`.
SELECT id, case_id, purpose, to_team, to_user, channel, ts, drawn FROM copy
WHERE case_id >= 'keys:' AND case_id < 'keys;' AND purpose = 'key_change' AND drawn = 0 ORDER BY id;

-- name: copies
-- The copies of a case, oldest first.
SELECT id, case_id, purpose, to_team, to_user, channel, ts, drawn FROM copy WHERE case_id = :case_id ORDER BY id;
