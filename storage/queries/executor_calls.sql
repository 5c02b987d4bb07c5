-- Calls to executors: leased, tried, released.

-- name: something_to_call
-- Whether a lease of calls would find anything: asked before every lease, so that an empty one writes nothing.
SELECT 1 AS found FROM executor_call WHERE state = 'waiting' AND next_ms <= :now AND leased_until_ms <= :now LIMIT 1;

-- name: lease_calls
-- Takes calls whose time has come, oldest first; never while another call of the same case is on its way.
UPDATE executor_call SET leased_until_ms = :until, attempts = attempts + 1
WHERE (case_id, n) IN (
  SELECT c.case_id, c.n FROM executor_call AS c
  WHERE c.state = 'waiting' AND c.next_ms <= :now AND c.leased_until_ms <= :now AND NOT EXISTS (
    SELECT 1 FROM executor_call AS other
    WHERE other.case_id = c.case_id AND other.n <> c.n AND other.leased_until_ms > :now
  )
  ORDER BY c.next_ms, c.case_id, c.n LIMIT :limit
)
RETURNING case_id, n, attempts, refusals;

-- name: release_call
-- An attempt is over; what still waits is tried again then. The answer `failed` is counted.
UPDATE executor_call SET leased_until_ms = 0, next_ms = :next_ms, error = :error,
  refusals = refusals + CASE WHEN :error = 'failed' THEN 1 ELSE 0 END
WHERE case_id = :case_id AND n = :n;

-- name: free_calls
-- A new process has nothing on its way.
UPDATE executor_call SET leased_until_ms = 0 WHERE leased_until_ms > 0;

-- name: unclosed
-- Ends of grants that their system has not confirmed, and since when the oldest.
SELECT count(*) AS waiting, min(asked_ms) AS oldest_ms FROM executor_call WHERE state = 'waiting' AND kind = 'close';
