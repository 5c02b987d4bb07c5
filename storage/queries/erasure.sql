-- Everything that is disclosed about a person.

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
  OR (r.kind = 'finding' AND r.state <> 'closed')
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
UPDATE vote SET team_id = '-', user_id = '-', credential = '' WHERE team_id = :team AND user_id = :user;

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

-- name: erase_agreement_word
-- … as who spoke about a row of the matrix,
DELETE FROM agreement_word WHERE team_id = :team AND user_id = :user;

-- name: erase_agreement_waiting
-- … as whose message about the matrix waits,
DELETE FROM agreement_waiting WHERE team_id = :team AND user_id = :user;

-- name: erase_home
-- … as who looks at their App Home,
DELETE FROM home WHERE team_id = :team AND user_id = :user;

-- name: erase_act_subject
-- … as whom an operator's act was about that is over (its messages are redrawn beside),
UPDATE operator_act SET subject_team = NULL, subject_user = NULL, version = version + 1
WHERE subject_team = :team AND subject_user = :user AND state NOT IN ('open', 'confirmed');

-- name: erase_own_subject
-- … and as whom the erasure itself is about, which its last write would bring back otherwise,
UPDATE operator_act SET subject_team = NULL, subject_user = NULL WHERE id = :id;

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
