-- The log's triggers of migration 2. They guard against slips; TRUNCATE is refused like DELETE.
CREATE FUNCTION log_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION '%', TG_ARGV[0] USING ERRCODE = 'integrity_constraint_violation';
END $$;

CREATE FUNCTION log_entry_is_next() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NEW.idx IS DISTINCT FROM (SELECT coalesce(max(idx), -1) + 1 FROM log_entry) THEN
    RAISE EXCEPTION 'an entry takes the next index of the log' USING ERRCODE = 'integrity_constraint_violation';
  END IF;
  RETURN NEW;
END $$;

CREATE TRIGGER log_entry_next BEFORE INSERT ON log_entry FOR EACH ROW EXECUTE FUNCTION log_entry_is_next();
CREATE TRIGGER log_entry_no_update BEFORE UPDATE ON log_entry
FOR EACH ROW EXECUTE FUNCTION log_refuse('an entry of the log never changes');
CREATE TRIGGER log_entry_no_delete BEFORE DELETE ON log_entry
FOR EACH ROW EXECUTE FUNCTION log_refuse('an entry of the log is never deleted');
CREATE TRIGGER log_entry_no_truncate BEFORE TRUNCATE ON log_entry
EXECUTE FUNCTION log_refuse('an entry of the log is never deleted');

CREATE TRIGGER log_node_no_update BEFORE UPDATE ON log_node
FOR EACH ROW EXECUTE FUNCTION log_refuse('a node of the log never changes');
CREATE TRIGGER log_node_no_delete BEFORE DELETE ON log_node
FOR EACH ROW EXECUTE FUNCTION log_refuse('a node of the log is never deleted');
CREATE TRIGGER log_node_no_truncate BEFORE TRUNCATE ON log_node
EXECUTE FUNCTION log_refuse('a node of the log is never deleted');

-- The log has one head, also where two sessions begin one at once.
CREATE UNIQUE INDEX log_head_once ON log_head ((true));

CREATE FUNCTION log_head_only_grows() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NEW.size <= OLD.size OR NEW.origin <> OLD.origin THEN
    RAISE EXCEPTION 'the log only grows' USING ERRCODE = 'integrity_constraint_violation';
  END IF;
  RETURN NEW;
END $$;

CREATE TRIGGER log_head_grows BEFORE UPDATE ON log_head FOR EACH ROW EXECUTE FUNCTION log_head_only_grows();
CREATE TRIGGER log_head_no_delete BEFORE DELETE ON log_head
FOR EACH ROW EXECUTE FUNCTION log_refuse('the head of the log is never deleted');
CREATE TRIGGER log_head_no_truncate BEFORE TRUNCATE ON log_head
EXECUTE FUNCTION log_refuse('the head of the log is never deleted');

CREATE TRIGGER log_checkpoint_no_update BEFORE UPDATE ON log_checkpoint
FOR EACH ROW EXECUTE FUNCTION log_refuse('a checkpoint never changes');
CREATE TRIGGER log_checkpoint_no_delete BEFORE DELETE ON log_checkpoint
FOR EACH ROW EXECUTE FUNCTION log_refuse('a checkpoint is never deleted');
CREATE TRIGGER log_checkpoint_no_truncate BEFORE TRUNCATE ON log_checkpoint
EXECUTE FUNCTION log_refuse('a checkpoint is never deleted');

CREATE TRIGGER log_anchor_no_update BEFORE UPDATE ON log_anchor
FOR EACH ROW EXECUTE FUNCTION log_refuse('an anchor never changes');
CREATE TRIGGER log_anchor_no_delete BEFORE DELETE ON log_anchor
FOR EACH ROW EXECUTE FUNCTION log_refuse('an anchor is never deleted');
CREATE TRIGGER log_anchor_no_truncate BEFORE TRUNCATE ON log_anchor
EXECUTE FUNCTION log_refuse('an anchor is never deleted');
