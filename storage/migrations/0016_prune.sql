-- Pruning empties old entries, and nothing else of an entry ever changes: only below the minimum of a log.pruned may bytes go.
-- The minimum stands here beside the entry, because a trigger reads no JSON.
CREATE TABLE log_pruning (
  minimum INTEGER PRIMARY KEY
) STRICT;

DROP TRIGGER log_entry_no_update;

CREATE TRIGGER log_entry_no_update BEFORE UPDATE ON log_entry
WHEN NEW.data IS NOT NULL OR NEW.idx IS NOT OLD.idx OR NEW.leaf IS NOT OLD.leaf OR NEW.type IS NOT OLD.type
  OR NEW.case_id IS NOT OLD.case_id OR NEW.ts_ms IS NOT OLD.ts_ms
  OR OLD.idx >= (SELECT coalesce(max(minimum), 0) FROM log_pruning)
BEGIN
  SELECT RAISE(ABORT, 'an entry of the log never changes; its bytes may go below a log.pruned minimum only');
END;
