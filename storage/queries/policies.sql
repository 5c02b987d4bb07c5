-- Accepted policy sets, their files, and the calendars that were read last.

-- name: put_blob
-- The bytes of a file, once.
INSERT INTO blob (sha256, content) VALUES (:sha256, :content) ON CONFLICT (sha256) DO NOTHING;

-- name: put_policy_file
-- A file of a set, once.
INSERT INTO policy_file (digest, path, sha256) VALUES (:digest, :path, :sha256) ON CONFLICT (digest, path) DO NOTHING;

-- name: insert_policy_set
-- A set is the last accepted from now on.
INSERT INTO policy_set (digest, accepted_ms) VALUES (:digest, :accepted_ms);

-- name: last_policy_set
-- The set accepted last.
SELECT digest, accepted_ms, binds_until_ms FROM policy_set ORDER BY n DESC LIMIT 1;

-- name: policy_set
-- A set and when it was accepted last.
SELECT digest, accepted_ms, binds_until_ms FROM policy_set WHERE digest = :digest ORDER BY n DESC LIMIT 1;

-- name: policy_sets_beginning
-- Sets whose digest begins with the hexadecimal digits `:low`, the newest first; `:high` is `:low` and a g.
SELECT digest FROM policy_set WHERE digest >= :low AND digest < :high ORDER BY n DESC;

-- name: policy_set_binds_until
-- The set that was accepted last is replaced: until when it binds.
UPDATE policy_set SET binds_until_ms = :until_ms WHERE n = (SELECT max(n) FROM policy_set);

-- name: policy_set_keeps_for
-- How long what the log discloses is kept from now on, under the set that was accepted last.
UPDATE policy_set SET retention_ms = :retention_ms WHERE n = (SELECT max(n) FROM policy_set);

-- name: put_endorsement
-- A change of the signing keys is endorsed for a domain.
INSERT INTO endorsement (from_digest, to_digest, domain, at_ms) VALUES (:old, :new, :domain, :now) ON CONFLICT DO NOTHING;

-- name: endorsements
-- Every endorsement.
SELECT from_digest, to_digest, domain, at_ms FROM endorsement ORDER BY at_ms;

-- name: endorsed_binds_until
-- A change is endorsed as a whole: until when the set before it binds, wherever the one followed the other.
UPDATE policy_set SET binds_until_ms = :until_ms WHERE digest = :old AND binds_until_ms > :until_ms
  AND (SELECT digest FROM policy_set AS f WHERE f.n > policy_set.n ORDER BY f.n LIMIT 1) = :new;

-- name: policy_files
-- The files of a set.
SELECT f.path, f.sha256, b.content FROM policy_file AS f JOIN blob AS b ON b.sha256 = f.sha256
WHERE f.digest = :digest ORDER BY f.path;

-- name: blob
-- The bytes of any file of any accepted set.
SELECT content FROM blob WHERE sha256 = :sha256;

-- name: feeds
-- Calendars as they were when they could last be read.
SELECT address, body, read_ms FROM feed;

-- name: keep_feed
-- A calendar could be read.
INSERT INTO feed (address, body, read_ms) VALUES (:address, :body, :read_ms)
ON CONFLICT (address) DO UPDATE SET body = excluded.body, read_ms = excluded.read_ms;

-- name: drop_feeds
-- What was read too long ago counts for nobody.
DELETE FROM feed WHERE read_ms < :before;

-- name: lost_calendars
-- Rotas whose calendar was announced as lost.
SELECT rota FROM lost_calendar;

-- name: forget_lost_calendars
-- Announced anew, as a whole.
DELETE FROM lost_calendar;

-- name: put_lost_calendar
-- Announced as lost.
INSERT INTO lost_calendar (rota) VALUES (:rota);

-- name: contract_grace
-- Until when what is open of a provider waits whose contract was past when this program first looked.
SELECT provider, until_ms FROM contract_grace;

-- name: grant_contract_grace
-- The first look at a provider's contract.
INSERT INTO contract_grace (provider, until_ms) VALUES (:provider, :until_ms);

-- name: domain_owners
-- Who owned each domain with dated owners at the last look.
SELECT domain, owner FROM domain_owner;

-- name: put_domain_owner
-- The owner of a domain from this look on.
INSERT INTO domain_owner (domain, owner) VALUES (:domain, :owner) ON CONFLICT (domain) DO UPDATE SET owner = :owner;

-- name: contract_notices
-- Notices of contract ends that were given.
SELECT provider, last_day, seconds_before FROM contract_notice;

-- name: give_contract_notice
-- A notice is given; one that was given already changes no row.
INSERT INTO contract_notice (provider, last_day, seconds_before) VALUES (:provider, :last_day, :seconds_before)
ON CONFLICT DO NOTHING;

-- name: ended_providers
-- Providers that two people ended, and when.
SELECT hold AS provider, max(closed_ms) AS ended_ms FROM operator_act
WHERE kind = 'provider_end' AND state = 'done' GROUP BY hold;
