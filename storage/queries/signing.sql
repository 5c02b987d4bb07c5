-- Decisions signed with a passkey: links to the page, statements, what became of them, and sign counts.

-- name: put_sign_link
-- A link for somebody to one version of a question, unless there is one.
INSERT INTO sign_link (token, case_id, version, team_id, user_id, created_ms)
VALUES (:token, :case_id, :version, :team, :user, :now) ON CONFLICT DO NOTHING;

-- name: sign_link_of
-- Somebody's link to one version of a question.
SELECT token FROM sign_link WHERE case_id = :case_id AND version = :version AND team_id = :team AND user_id = :user;

-- name: sign_link
-- Whose link a token is, and to what.
SELECT case_id, version, team_id, user_id FROM sign_link WHERE token = :token;

-- name: put_sign_statement
-- A statement is handed out.
INSERT INTO sign_statement (nonce, case_id, version, team_id, user_id, statement, not_after_ms)
VALUES (:nonce, :case_id, :version, :team, :user, :statement, :not_after_ms);

-- name: sign_statement
-- A statement by its nonce.
SELECT case_id, version, team_id, user_id, statement, not_after_ms, used_by FROM sign_statement WHERE nonce = :nonce;

-- name: use_sign_statement
-- A statement is used, once; no row where it was used before.
UPDATE sign_statement SET used_by = :key WHERE nonce = :nonce AND used_by IS NULL;

-- name: drop_old_statements
-- Statements and answers that nobody can use or ask for again.
DELETE FROM sign_statement WHERE not_after_ms < :before;

-- name: drop_old_sign_answers
-- See above.
DELETE FROM sign_answer WHERE at_ms < :before;

-- name: drop_spare_statements
-- Of the unused statements of one link, all but the newest.
DELETE FROM sign_statement WHERE used_by IS NULL AND case_id = :case_id AND version = :version AND team_id = :team
  AND user_id = :user AND nonce NOT IN (
    SELECT nonce FROM sign_statement WHERE used_by IS NULL AND case_id = :case_id AND version = :version
      AND team_id = :team AND user_id = :user ORDER BY not_after_ms DESC LIMIT :keep
  );

-- name: put_sign_answer
-- What an assertion came to.
INSERT INTO sign_answer (key, answer, at_ms) VALUES (:key, :answer, :now) ON CONFLICT (key) DO NOTHING;

-- name: sign_answer
-- The same, read again.
SELECT answer FROM sign_answer WHERE key = :key;

-- name: sign_count
-- The newest sign count of a passkey.
SELECT count FROM sign_count WHERE credential = :credential;

-- name: put_sign_count
-- The newest sign count of a passkey; it never goes back.
INSERT INTO sign_count (credential, count) VALUES (:credential, :count)
ON CONFLICT (credential) DO UPDATE SET
  count = CASE WHEN excluded.count > sign_count.count THEN excluded.count ELSE sign_count.count END;

-- name: erase_sign_links
-- The links of a person go.
DELETE FROM sign_link WHERE team_id = :team AND user_id = :user;

-- name: erase_sign_statements
-- So do the statements that they were handed.
DELETE FROM sign_statement WHERE team_id = :team AND user_id = :user;
