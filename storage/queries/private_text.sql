-- Free text of cases that are over.

-- name: over_and_delivered
-- Cases that still hold text though nothing of them is open and nothing about them is unsaid.
SELECT r.id FROM request AS r
WHERE r.emptied <> 1 AND r.state <> 'pending'
  AND NOT EXISTS (SELECT 1 FROM access_grant AS g WHERE g.case_id = r.id AND g.state = 'open')
  AND NOT EXISTS (SELECT 1 FROM ask AS a WHERE a.case_id = r.id AND a.state = 'open')
  AND NOT EXISTS (SELECT 1 FROM outbox AS o WHERE o.case_id = r.id AND o.done_ms IS NULL)
  AND NOT EXISTS (SELECT 1 FROM executor_call AS c WHERE c.case_id = r.id AND c.state = 'waiting')
LIMIT :limit;

-- name: disclosures_of_case
-- What the digests of a case's entries disclose, in their order.
SELECT p.digest, p.disclosure, p.subject, e.type FROM log_entry AS e JOIN log_private AS p ON p.idx = e.idx
WHERE e.case_id = :case_id ORDER BY p.idx, p.digest;

-- name: notes_to_empty
-- Notes of a case whose text stands there whole.
SELECT case_id, ask, n, team_id, user_id, text FROM note WHERE case_id = :case_id AND text <> '' AND digest = '';

-- name: empty_note
-- What is left of a note, and where the rest stands.
UPDATE note SET text = :text, digest = :digest WHERE case_id = :case_id AND ask = :ask AND n = :n;

-- name: empty_request
-- The text of a request stands in log_private alone.
UPDATE request SET target = '', reason = '', fields = :fields, emptied = 1 WHERE id = :id;
