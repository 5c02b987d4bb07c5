-- The decision log (decision-log.md, "Tree and storage"). Nothing in it is ever changed or deleted: triggers refuse it.
-- They guard against slips; against whoever can write the file there are checkpoints and anchors.

CREATE TABLE log_entry (
  idx INTEGER PRIMARY KEY,
  leaf BLOB NOT NULL CHECK (length(leaf) = 32),
  data BLOB,
  type TEXT NOT NULL,
  case_id TEXT,
  ts_ms INTEGER NOT NULL
) STRICT;

CREATE INDEX log_entry_case ON log_entry (case_id, idx) WHERE case_id IS NOT NULL;
CREATE INDEX log_entry_anomaly ON log_entry (ts_ms) WHERE type = 'clock.anomaly';

CREATE TABLE log_node (
  level INTEGER NOT NULL CHECK (level IN (8, 16, 24)),
  i INTEGER NOT NULL,
  h BLOB NOT NULL CHECK (length(h) = 32),
  PRIMARY KEY (level, i)
) STRICT, WITHOUT ROWID;

CREATE TABLE log_head (
  origin TEXT NOT NULL,
  size INTEGER NOT NULL,
  edge BLOB NOT NULL
) STRICT;

CREATE TABLE log_checkpoint (
  size INTEGER PRIMARY KEY,
  root BLOB NOT NULL CHECK (length(root) = 32),
  note TEXT NOT NULL,
  signed_at INTEGER NOT NULL
) STRICT;

CREATE TABLE log_anchor (
  size INTEGER NOT NULL,
  kind TEXT NOT NULL,
  ref TEXT NOT NULL,
  blob BLOB,
  at INTEGER NOT NULL
) STRICT;

-- The deletable table: what an entry's `_sd` digests disclose. `subject` is TEAM/USER.
CREATE TABLE log_private (
  digest TEXT PRIMARY KEY,
  idx INTEGER NOT NULL,
  disclosure TEXT NOT NULL,
  subject TEXT NOT NULL,
  expires INTEGER,
  hold_id TEXT
) STRICT, WITHOUT ROWID;

CREATE INDEX log_private_idx ON log_private (idx);
CREATE INDEX log_private_subject ON log_private (subject);

-- An entry takes the next index and no other: INSERT OR REPLACE would delete without asking the trigger below.
CREATE TRIGGER log_entry_next BEFORE INSERT ON log_entry
WHEN NEW.idx IS NOT (SELECT coalesce(max(idx), -1) + 1 FROM log_entry)
BEGIN
  SELECT RAISE(ABORT, 'an entry takes the next index of the log');
END;

CREATE TRIGGER log_entry_no_update BEFORE UPDATE ON log_entry
BEGIN
  SELECT RAISE(ABORT, 'an entry of the log never changes');
END;

CREATE TRIGGER log_entry_no_delete BEFORE DELETE ON log_entry
BEGIN
  SELECT RAISE(ABORT, 'an entry of the log is never deleted');
END;

CREATE TRIGGER log_node_once BEFORE INSERT ON log_node
WHEN EXISTS (SELECT 1 FROM log_node WHERE level = NEW.level AND i = NEW.i)
BEGIN
  SELECT RAISE(ABORT, 'a node of the log never changes');
END;

CREATE TRIGGER log_node_no_update BEFORE UPDATE ON log_node
BEGIN
  SELECT RAISE(ABORT, 'a node of the log never changes');
END;

CREATE TRIGGER log_node_no_delete BEFORE DELETE ON log_node
BEGIN
  SELECT RAISE(ABORT, 'a node of the log is never deleted');
END;

CREATE TRIGGER log_head_once BEFORE INSERT ON log_head
WHEN EXISTS (SELECT 1 FROM log_head)
BEGIN
  SELECT RAISE(ABORT, 'the log has one head');
END;

CREATE TRIGGER log_head_grows BEFORE UPDATE ON log_head
WHEN NEW.size <= OLD.size OR NEW.origin <> OLD.origin
BEGIN
  SELECT RAISE(ABORT, 'the log only grows');
END;

CREATE TRIGGER log_head_no_delete BEFORE DELETE ON log_head
BEGIN
  SELECT RAISE(ABORT, 'the head of the log is never deleted');
END;

CREATE TRIGGER log_checkpoint_once BEFORE INSERT ON log_checkpoint
WHEN EXISTS (SELECT 1 FROM log_checkpoint WHERE size = NEW.size)
BEGIN
  SELECT RAISE(ABORT, 'a checkpoint never changes');
END;

CREATE TRIGGER log_checkpoint_no_update BEFORE UPDATE ON log_checkpoint
BEGIN
  SELECT RAISE(ABORT, 'a checkpoint never changes');
END;

CREATE TRIGGER log_checkpoint_no_delete BEFORE DELETE ON log_checkpoint
BEGIN
  SELECT RAISE(ABORT, 'a checkpoint is never deleted');
END;

CREATE TRIGGER log_anchor_no_update BEFORE UPDATE ON log_anchor
BEGIN
  SELECT RAISE(ABORT, 'an anchor never changes');
END;

CREATE TRIGGER log_anchor_no_delete BEFORE DELETE ON log_anchor
BEGIN
  SELECT RAISE(ABORT, 'an anchor is never deleted');
END;
