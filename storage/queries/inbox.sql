-- What came in and is not carried out yet.

-- name: take_in
-- One row for each key; a repeat changes nothing.
INSERT INTO inbox (key, act, answer, received_ms, next_ms) VALUES (:key, :act, :answer, :now, :now)
ON CONFLICT (key) DO NOTHING;

-- name: inbox_answer
-- What the first delivery of a key was answered.
SELECT answer FROM inbox WHERE key = :key;

-- name: inbox
-- Unfinished rows whose next attempt is due, oldest first.
SELECT id, key, act, answer, received_ms, attempts FROM inbox
WHERE done_ms IS NULL AND next_ms <= :now ORDER BY id LIMIT :limit;

-- name: put_off
-- The row failed for now: it counts an attempt and waits.
UPDATE inbox SET attempts = attempts + 1, next_ms = :until WHERE id = :id AND done_ms IS NULL;

-- name: finish_inbox
-- The act is carried out, once. Its text goes at once; key and answer stay for a repeat.
UPDATE inbox SET done_ms = :now, act = '' WHERE id = :id AND done_ms IS NULL;
