-- When somebody last got a governance message (bot/domain/governance/weekly.py).

-- name: note_governance_message
-- Somebody gets a governance message.
INSERT INTO governance_message (team_id, user_id, at_ms) VALUES (:team, :user, :at_ms)
ON CONFLICT (team_id, user_id) DO UPDATE SET at_ms = excluded.at_ms;

-- name: last_governance_message
-- When somebody got the last one.
SELECT at_ms FROM governance_message WHERE team_id = :team AND user_id = :user;

-- name: erase_governance_message
-- … and as whom we wrote to.
DELETE FROM governance_message WHERE team_id = :team AND user_id = :user;
