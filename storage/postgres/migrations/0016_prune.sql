-- Pruning empties old entries: only below the minimum of a log.pruned may bytes go, and nothing else of an entry changes.
CREATE FUNCTION log_entry_is_pruned() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NEW.data IS NOT NULL OR (NEW.idx, NEW.leaf, NEW.type, NEW.case_id, NEW.ts_ms)
      IS DISTINCT FROM (OLD.idx, OLD.leaf, OLD.type, OLD.case_id, OLD.ts_ms)
    OR OLD.idx >= (SELECT coalesce(max(minimum), 0) FROM log_pruning)
  THEN
    RAISE EXCEPTION 'an entry of the log never changes; its bytes may go below a log.pruned minimum only'
      USING ERRCODE = 'integrity_constraint_violation';
  END IF;
  RETURN NEW;
END $$;

DROP TRIGGER log_entry_no_update ON log_entry;
CREATE TRIGGER log_entry_no_update BEFORE UPDATE ON log_entry FOR EACH ROW EXECUTE FUNCTION log_entry_is_pruned();
