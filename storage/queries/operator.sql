-- Acts of an operator, and holds.

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
