-- Decisions while Slack is down (bot/service/outage.py): requests that the host's operator filed, and sessions of the page for signing.
ALTER TABLE request ADD COLUMN by_host INTEGER NOT NULL DEFAULT 0;

-- Slack's last answer about the accounts that may sign: whether each was a full, active member.
CREATE TABLE account_answer (
  team_id TEXT NOT NULL,
  user_id TEXT NOT NULL,
  is_full INTEGER NOT NULL,
  at_ms INTEGER NOT NULL,
  PRIMARY KEY (team_id, user_id)
) STRICT, WITHOUT ROWID;

-- Yeses that counted although Slack could not confirm the account; a row goes when it has been looked up.
CREATE TABLE unconfirmed_yes (
  case_id TEXT NOT NULL,
  version INTEGER NOT NULL,
  team_id TEXT NOT NULL,
  user_id TEXT NOT NULL,
  at_ms INTEGER NOT NULL,
  PRIMARY KEY (case_id, version, team_id, user_id)
) STRICT, WITHOUT ROWID;

-- Sessions of the page: first the statement that a passkey is to sign, then whose session it is.
CREATE TABLE sign_session (
  digest TEXT PRIMARY KEY,
  statement TEXT NOT NULL,
  credential TEXT NOT NULL DEFAULT '',
  team_id TEXT NOT NULL DEFAULT '',
  user_id TEXT NOT NULL DEFAULT '',
  until_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
