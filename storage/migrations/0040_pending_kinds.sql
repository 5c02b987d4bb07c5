-- compatible_from: 39
-- Pending requests by what tells them apart for the policy, so that a start reads one of each kind and not all of them
-- (`open_samples`). It serves what the index of the same name served.
DROP INDEX request_pending_requester;
CREATE INDEX request_pending_requester
  ON request (requester_user, requester_team, domain, provider, runbook, drill, expires_ms) WHERE state = 'pending';
