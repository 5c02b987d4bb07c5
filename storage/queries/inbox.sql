-- What came in and is not carried out yet.

-- name: take_in
-- One row for each key; a repeat changes nothing.
INSERT INTO inbox (key, act, answer, received_ms, next_ms, lane, person)
VALUES (:key, :act, :answer, :now, :now, :lane, :person)
ON CONFLICT (key) DO NOTHING;

-- name: inbox_answer
-- What the first delivery of a key was answered.
SELECT answer FROM inbox WHERE key = :key;

-- name: inbox
-- Unfinished rows whose next attempt is due, fair by person: everybody's first row, oldest first, then everybody's second.
-- Of one person's rows about one thing (a lane) only the oldest has a turn. `but` are ids to leave out: `,7,9,`.
WITH heads AS (
  SELECT min(id) AS id, person FROM inbox
  WHERE done_ms IS NULL AND unreadable_ms IS NULL AND next_ms <= :now AND :but NOT LIKE '%,' || id || ',%'
  GROUP BY person, coalesce(lane, CAST(id AS TEXT))
), turns AS (
  SELECT id, row_number() OVER (PARTITION BY person ORDER BY id) AS turn FROM heads
)
SELECT i.id, i.key, i.act, i.answer, i.received_ms, i.attempts, i.outcome FROM turns JOIN inbox AS i ON i.id = turns.id
ORDER BY turn, turns.id LIMIT :limit;

-- name: quarantine
-- A row that the running program cannot read: it is kept, and takes nobody's turn.
UPDATE inbox SET unreadable_ms = :now WHERE id = :id AND done_ms IS NULL;

-- name: unreadable_rows
-- The rows in quarantine, oldest first.
SELECT id, person, received_ms, unreadable_ms, act FROM inbox
WHERE done_ms IS NULL AND unreadable_ms IS NOT NULL ORDER BY id;

-- name: read_again
-- At a start: what an older program could not read, this one may.
UPDATE inbox SET unreadable_ms = NULL WHERE unreadable_ms IS NOT NULL AND done_ms IS NULL;

-- name: put_off
-- The row failed for now: it counts an attempt and waits.
UPDATE inbox SET attempts = attempts + 1, next_ms = :until WHERE id = :id AND done_ms IS NULL;

-- name: finish_inbox
-- The act is carried out, once. Its text and whose it was go at once; key and answer stay for a repeat.
UPDATE inbox SET done_ms = :now, act = '', person = '', lane = NULL WHERE id = :id AND done_ms IS NULL;

-- name: note_outcome
-- Why a command was not carried out.
UPDATE inbox SET outcome = :outcome WHERE id = :id AND done_ms IS NULL;

-- name: inbox_outcome
-- What became of a command of a host.
SELECT done_ms, outcome FROM inbox WHERE key = :key;

-- name: withdraw_inbox
-- Whoever gave the command waits no longer, so it is not carried out later.
UPDATE inbox SET done_ms = :now, act = '', person = '', lane = NULL, outcome = 'withdrawn' WHERE key = :key AND done_ms IS NULL;
