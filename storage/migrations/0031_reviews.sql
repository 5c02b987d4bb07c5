-- Campaigns (bot/domain/governance/campaigns.py). `body` is the campaign as JSON; accounts stand in it as {"team","user"} and
-- "TEAM/USER" only, free text never.
CREATE TABLE campaign (
  id TEXT PRIMARY KEY,
  state TEXT NOT NULL,
  version INTEGER NOT NULL,
  opened_ms INTEGER NOT NULL,
  body TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX campaign_open ON campaign (opened_ms) WHERE state = 'open';

-- The last word on one right in one domain. `of_id` is a runbook, a request, or TEAM/USER.
CREATE TABLE consent (
  kind TEXT NOT NULL,
  of_id TEXT NOT NULL,
  domain TEXT NOT NULL,
  content TEXT NOT NULL,
  sha256 TEXT NOT NULL,
  effect TEXT NOT NULL,
  own INTEGER NOT NULL,
  at_ms INTEGER NOT NULL,
  by_team TEXT,
  by_user TEXT,
  singly_ms INTEGER,
  campaign TEXT NOT NULL,
  PRIMARY KEY (kind, of_id, domain)
) STRICT, WITHOUT ROWID;

CREATE INDEX consent_narrowed ON consent (kind, of_id) WHERE effect IN ('narrowed', 'withdrawn');
