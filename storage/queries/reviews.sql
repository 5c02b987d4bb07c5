-- Campaigns, and the last word on each right without prior consent.

-- name: insert_campaign
-- Opens a campaign; an id that exists changes no row.
INSERT INTO campaign (id, state, version, opened_ms, body) VALUES (:id, :state, 0, :opened_ms, :body)
ON CONFLICT (id) DO NOTHING;

-- name: swap_campaign
-- Compare-and-swap, as for a request.
UPDATE campaign SET version = version + 1, state = :state, body = :body WHERE id = :id AND version = :version;

-- name: campaign
-- One campaign.
SELECT version, body FROM campaign WHERE id = :id;

-- name: open_campaigns
-- Open campaigns, newest first.
SELECT version, body FROM campaign WHERE state = 'open' ORDER BY opened_ms DESC, id LIMIT :limit;

-- name: all_campaigns
-- Every campaign, newest first.
SELECT version, body FROM campaign ORDER BY opened_ms DESC, id LIMIT :limit;

-- name: put_consent
-- The last word on a right.
INSERT INTO consent (kind, of_id, domain, content, sha256, effect, own, at_ms, by_team, by_user, singly_ms, campaign)
VALUES (:kind, :of_id, :domain, :content, :sha256, :effect, :own, :at_ms, :by_team, :by_user, :singly_ms, :campaign)
ON CONFLICT (kind, of_id, domain) DO UPDATE SET content = excluded.content, sha256 = excluded.sha256,
  effect = excluded.effect, own = excluded.own, at_ms = excluded.at_ms, by_team = excluded.by_team,
  by_user = excluded.by_user, singly_ms = coalesce(excluded.singly_ms, consent.singly_ms), campaign = excluded.campaign;

-- name: note_consent
-- The first that is known of a right; what is known already stays.
INSERT INTO consent (kind, of_id, domain, content, sha256, effect, own, at_ms, by_team, by_user, singly_ms, campaign)
VALUES (:kind, :of_id, :domain, :content, :sha256, :effect, :own, :at_ms, :by_team, :by_user, :singly_ms, :campaign)
ON CONFLICT (kind, of_id, domain) DO NOTHING;

-- name: forget_person
-- Somebody may not ask any more: the word on them goes with that.
DELETE FROM consent WHERE kind = 'person' AND of_id = :of_id AND domain = :domain;

-- name: consents
-- The last word on each right.
SELECT kind, of_id, domain, content, sha256, effect, own, at_ms, by_team, by_user, singly_ms, campaign
FROM consent ORDER BY kind, of_id, domain;

-- name: narrowed_rights
-- What reviews have taken away.
SELECT kind, of_id, domain, content, sha256, effect, own, at_ms FROM consent
WHERE effect IN ('narrowed', 'withdrawn') ORDER BY kind, of_id, domain;

-- name: uses_in_domain
-- Openings of access in a domain since then, oldest first, with the evidence that never came, the first message that Slack
-- accepted and the first answer.
SELECT r.id, r.runbook, r.domain, r.provider, r.requester_team, r.requester_user, g.opened_ms,
  (SELECT count(*) FROM duty AS d WHERE d.case_id = r.id AND d.kind = 'evidence' AND d.missed = 1 AND d.done_ms IS NULL) AS missing,
  (SELECT min(e.ts_ms) FROM log_entry AS e WHERE e.case_id = r.id AND e.type = 'delivery.sent') AS sent_ms,
  (SELECT min(v.at_ms) FROM vote AS v WHERE v.case_id = r.id) AS pressed_ms
FROM request AS r JOIN access_grant AS g ON g.case_id = r.id
WHERE r.domain = :domain AND g.opened_ms >= :since AND r.drill = '' AND r.matter = ''
ORDER BY g.opened_ms, r.id LIMIT :limit;

-- name: ratifiers
-- Who ratified a break-glass.
SELECT v.team_id, v.user_id FROM vote AS v JOIN ask AS a ON a.case_id = v.case_id AND a.n = v.ask
WHERE v.case_id = :case_id AND a.kind = 'ratification' AND v.answer = 'yes' ORDER BY v.n;

-- name: urgent_domains
-- Domains with an emergency that is pending or whose grant is open.
SELECT DISTINCT r.domain FROM request AS r LEFT JOIN access_grant AS g ON g.case_id = r.id
WHERE r.kind = 'emergency_access' AND r.drill = '' AND r.matter = ''
  AND (r.id IN (SELECT p.id FROM request AS p WHERE p.state = 'pending') OR g.state = 'open');

-- name: erase_campaigns
-- … in campaigns, as an account and as what an item is about,
UPDATE campaign SET version = version + 1, body = replace(
  replace(body, '{"team":"' || :team || '","user":"' || :user || '"}', '{"team":"-","user":"-"}'),
  '"' || :team || '/' || :user || '"', '"-/-"'
) WHERE body LIKE '%' || :user || '%';

-- name: erase_consent
-- … as whom a review was about,
DELETE FROM consent WHERE kind = 'person' AND of_id = :team || '/' || :user;

-- name: erase_consent_by
-- … as who answered it,
UPDATE consent SET by_team = '-', by_user = '-' WHERE by_team = :team AND by_user = :user;

-- name: review_entries
-- What the log says of reviews, oldest first.
SELECT idx, leaf, data, type, case_id, ts_ms FROM log_entry
WHERE case_id IS NULL AND data IS NOT NULL
  AND type IN ('campaign.opened', 'right.kept', 'right.narrowed', 'right.withdrawn', 'campaign.closed')
ORDER BY idx;
