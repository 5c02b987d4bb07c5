-- For which policy set, standing and owners the open messages in Slack were drawn last (handlers/inbound/home.py); one row.
CREATE TABLE redrawn_for (
  one INTEGER PRIMARY KEY CHECK (one = 1),
  authority TEXT NOT NULL
) STRICT;
