-- Who is away, and until when.

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

-- name: absences
-- Who is away now.
SELECT team_id, user_id, until_ms FROM absence WHERE until_ms > :now;

-- name: absences_over
-- Whose absence has passed.
SELECT team_id, user_id FROM absence WHERE until_ms <= :now ORDER BY until_ms, user_id;
