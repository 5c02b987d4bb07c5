-- The version of the schema.

-- name: create_schema_version
-- Which migrations the database has had.
CREATE TABLE IF NOT EXISTS schema_version (version INTEGER PRIMARY KEY, name TEXT NOT NULL, applied_ms BIGINT NOT NULL);

-- name: schema_version
-- The newest migration that the database has had.
SELECT coalesce(max(version), 0) AS version FROM schema_version;

-- name: insert_schema_version
-- A migration is applied.
INSERT INTO schema_version (version, name, applied_ms) VALUES (:version, :name, :applied_ms);
