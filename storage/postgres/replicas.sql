-- Leadership and replicas: what only PostgreSQL has. Times are milliseconds since 1970 by the database's clock.

-- name: leadership
-- Who leads, whether its writing session has ended, and what time it is in the database.
SELECT token, pid, replica, beat_ms, (extract(epoch FROM clock_timestamp()) * 1000)::bigint AS now_ms,
  NOT EXISTS (SELECT 1 FROM pg_stat_activity AS a WHERE a.pid = leadership.pid AND a.datname = current_database()) AS gone
FROM leadership;

-- name: begin_leadership
-- The row of a database that nobody has led yet.
INSERT INTO leadership (id, token, pid, replica, beat_ms) VALUES (1, 0, 0, '', 0) ON CONFLICT (id) DO NOTHING;

-- name: end_session
-- Ends the holder's writing session, so that nothing it has begun is committed later.
SELECT pg_terminate_backend(pid, 2000) FROM pg_stat_activity
WHERE pid = :pid AND application_name = 'countersign' AND datname = current_database() AND pid <> pg_backend_pid();

-- name: take_leadership
-- Takes the lease whose beat is too old. Waits for judging transactions of the holder, which hold the row.
UPDATE leadership SET token = token + 1, pid = :pid, replica = :replica,
  beat_ms = (extract(epoch FROM clock_timestamp()) * 1000)::bigint
WHERE token = :token AND beat_ms <= (extract(epoch FROM clock_timestamp()) * 1000)::bigint - :stale_ms
RETURNING token;

-- name: beat_leadership
-- The holder lives. No row: somebody else has taken it.
UPDATE leadership SET pid = :pid, beat_ms = (extract(epoch FROM clock_timestamp()) * 1000)::bigint WHERE token = :token;

-- name: give_up_leadership
-- The holder stops: the next one need not wait.
UPDATE leadership SET beat_ms = 0 WHERE token = :token;

-- name: beat_replica
-- A replica lives. Whoever is back is excused no longer.
INSERT INTO replica (id, host, started_ms, beat_ms, size, emergency)
VALUES (:id, :host, :started_ms, (extract(epoch FROM clock_timestamp()) * 1000)::bigint, :size, :emergency)
ON CONFLICT (id) DO UPDATE SET host = excluded.host, started_ms = excluded.started_ms, beat_ms = excluded.beat_ms,
  size = excluded.size, emergency = excluded.emergency, excused_ms = NULL, excused_why = '';

-- name: ask_to_be_vouched_for
-- A replica without a memory asks the leader for one.
UPDATE replica SET nonce = :nonce, vouched = '' WHERE id = :id AND nonce <> :nonce;

-- name: to_vouch_for
-- Replicas without a memory that wait for the leader's word.
SELECT id, nonce FROM replica WHERE nonce <> '' AND vouched = '' AND size IS NULL ORDER BY id;

-- name: vouch
-- The leader's signed note.
UPDATE replica SET vouched = :note WHERE id = :id AND nonce = :nonce;

-- name: vouched
-- What the leader said about a nonce.
SELECT vouched FROM replica WHERE id = :id AND nonce = :nonce AND vouched <> '';

-- name: replicas
-- Every replica that ever served.
SELECT r.id, r.host, r.started_ms, r.beat_ms, r.size, r.emergency, r.excused_ms, l.replica IS NOT NULL AS leads,
  (extract(epoch FROM clock_timestamp()) * 1000)::bigint AS now_ms
FROM replica AS r LEFT JOIN leadership AS l ON l.replica = r.id
  AND l.beat_ms > (extract(epoch FROM clock_timestamp()) * 1000)::bigint - 6000
ORDER BY r.started_ms, r.id;

-- name: excuse_replica
-- The leader goes on without one that will not come back.
UPDATE replica SET excused_ms = (extract(epoch FROM clock_timestamp()) * 1000)::bigint, excused_why = :why WHERE id = :id;

-- name: open_leading
-- Begins a transaction that judges: one at a time, whatever process it is of (the advisory lock), only with the lease's token, and
-- by the database's clock.
BEGIN; SELECT pg_advisory_xact_lock(426639617653);
SELECT pg_current_xact_id()::text AS xid, (SELECT token FROM leadership FOR SHARE) AS token,
  (extract(epoch FROM clock_timestamp()) * 1000)::bigint AS now_ms;

-- name: open_judging
-- The same of a command on the host, which holds no lease: what it does counts by compare-and-swap.
BEGIN; SELECT pg_advisory_xact_lock(426639617653); SELECT pg_current_xact_id()::text AS xid;

-- name: open_taking_in
-- Begins a transaction that only takes in.
BEGIN; SELECT pg_current_xact_id()::text AS xid;
