-- The matrix as an agreement: rows, words, and the set by which they were noted.

-- name: agreement_rows
-- What is known of each row.
SELECT key, domain, digest, base, open, since_ms, agreed_ms, asked_ms, due_ms, overdue FROM agreement_row ORDER BY key;

-- name: put_agreement_row
-- What is known of one row from now on.
INSERT INTO agreement_row (key, domain, digest, base, open, since_ms, agreed_ms, asked_ms, due_ms, overdue)
VALUES (:key, :domain, :digest, :base, :open, :since_ms, :agreed_ms, :asked_ms, :due_ms, :overdue)
ON CONFLICT (key) DO UPDATE SET domain = excluded.domain, digest = excluded.digest, base = excluded.base,
  open = excluded.open, since_ms = excluded.since_ms, agreed_ms = excluded.agreed_ms, asked_ms = excluded.asked_ms,
  due_ms = excluded.due_ms, overdue = excluded.overdue;

-- name: drop_agreement_row
-- A row that the matrix does not say any more.
DELETE FROM agreement_row WHERE key = :key;

-- name: agreement_words
-- Words on rows as they are now.
SELECT w.key, w.digest, w.team_id, w.user_id, w.role, w.word, w.at_ms
FROM agreement_word AS w JOIN agreement_row AS r ON r.key = w.key AND r.digest = w.digest ORDER BY w.at_ms;

-- name: put_agreement_word
-- Somebody's last word on a row.
INSERT INTO agreement_word (key, digest, team_id, user_id, role, word, at_ms)
VALUES (:key, :digest, :team_id, :user_id, :role, :word, :at_ms)
ON CONFLICT (key, digest, team_id, user_id) DO UPDATE SET role = excluded.role, word = excluded.word, at_ms = excluded.at_ms;

-- name: agreement_waiting
-- Whose message waits until a week has passed since their last governance message.
SELECT team_id, user_id FROM agreement_waiting ORDER BY team_id, user_id;

-- name: let_agreement_wait
-- Somebody's message waits.
INSERT INTO agreement_waiting (team_id, user_id) VALUES (:team, :user) ON CONFLICT (team_id, user_id) DO NOTHING;

-- name: drop_agreement_waiting
-- Somebody's message is sent.
DELETE FROM agreement_waiting WHERE team_id = :team AND user_id = :user;

-- name: agreement_set
-- The set by which the rows were noted last.
SELECT digest FROM agreement_set;

-- name: put_agreement_set
-- The rows were noted by this set.
INSERT INTO agreement_set (one, digest) VALUES (1, :digest) ON CONFLICT (one) DO UPDATE SET digest = excluded.digest;

-- name: policy_set_before
-- The set that was accepted before this one; none where it was the first.
SELECT digest FROM policy_set WHERE digest <> :digest ORDER BY n DESC LIMIT 1;
