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

-- name: insert_schema_compatible
-- Which older programs may run with a version.
INSERT INTO schema_compatible (version, compatible_from) VALUES (:version, :compatible_from);

-- name: schema_compatible
-- The oldest program that may run with a version.
SELECT compatible_from FROM schema_compatible WHERE version = :version;
