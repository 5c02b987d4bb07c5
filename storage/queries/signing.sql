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

-- name: put_session
-- A session begins: what is to be signed for it.
INSERT INTO sign_session (digest, statement, until_ms) VALUES (:digest, :statement, :until_ms);

-- name: session
-- A session that is not over.
SELECT statement, credential, team_id, user_id, until_ms FROM sign_session WHERE digest = :digest AND until_ms > :now;

-- name: use_session
-- What was to be signed is signed, once: the statement is gone.
DELETE FROM sign_session WHERE digest = :digest AND credential = '' AND until_ms > :now;

-- name: open_session
-- A passkey has signed: whose session it is now.
INSERT INTO sign_session (digest, statement, credential, team_id, user_id, until_ms)
VALUES (:digest, '', :credential, :team, :user, :until_ms);

-- name: drop_old_sessions
-- Sessions that are over.
DELETE FROM sign_session WHERE until_ms <= :now;

-- name: put_account_answer
-- Slack's newest answer about an account.
INSERT INTO account_answer (team_id, user_id, is_full, at_ms) VALUES (:team, :user, :is_full, :now)
ON CONFLICT (team_id, user_id) DO UPDATE SET is_full = excluded.is_full, at_ms = excluded.at_ms;

-- name: account_answer
-- The same, read again.
SELECT is_full, at_ms FROM account_answer WHERE team_id = :team AND user_id = :user;

-- name: put_unconfirmed
-- A yes whose account Slack could not confirm.
INSERT INTO unconfirmed_yes (case_id, version, team_id, user_id, at_ms) VALUES (:case_id, :version, :team, :user, :now)
ON CONFLICT DO NOTHING;

-- name: unconfirmed
-- Those that have not been looked up since, oldest first.
SELECT case_id, version, team_id, user_id, at_ms FROM unconfirmed_yes ORDER BY at_ms;

-- name: drop_unconfirmed
-- Slack has said who it is.
DELETE FROM unconfirmed_yes WHERE case_id = :case_id AND version = :version AND team_id = :team AND user_id = :user;

-- name: erase_account_answers
-- What Slack said about a person goes.
DELETE FROM account_answer WHERE team_id = :team AND user_id = :user;

-- name: erase_unconfirmed
-- So do the marks of their yeses.
DELETE FROM unconfirmed_yes WHERE team_id = :team AND user_id = :user;

-- name: erase_sign_sessions
-- And their sessions.
DELETE FROM sign_session WHERE team_id = :team AND user_id = :user;
