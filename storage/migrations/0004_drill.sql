-- A drill is a case that asks for nothing: `drill` is '' for a request, else 'plain' or 'fast'; the person is who gets every
-- card of an `--only-me` drill. Its requester is '-' and its provider '', which no brake and no history ever asks for.
ALTER TABLE request ADD COLUMN drill TEXT NOT NULL DEFAULT '';
ALTER TABLE request ADD COLUMN drill_team TEXT;
ALTER TABLE request ADD COLUMN drill_user TEXT;

-- One drill of a runbook at a time, whoever starts it.
CREATE UNIQUE INDEX request_drill ON request (runbook) WHERE state = 'pending' AND drill <> '';
