-- What left the host: anchors, and the checkpoint last posted in the audit channel.

-- name: anchored
-- The greatest size that left the host in a way, or by one address of it.
SELECT max(size) AS size FROM log_anchor WHERE kind = :kind AND (ref = :ref OR :ref IS NULL);

-- name: keep_anchor
-- A checkpoint left the host.
INSERT INTO log_anchor (size, kind, ref, blob, at) VALUES (:size, :kind, :ref, :blob, :at);

-- name: newest_anchors
-- The newest of each kind.
SELECT kind, max(size) AS size, max(at) AS at FROM log_anchor GROUP BY kind;

-- name: last_post
-- The checkpoint that the audit channel heard last.
SELECT size, at_ms FROM checkpoint_post;

-- name: note_post
-- It hears another one.
INSERT INTO checkpoint_post (id, size, at_ms) VALUES (1, :size, :now)
ON CONFLICT (id) DO UPDATE SET size = excluded.size, at_ms = excluded.at_ms;
