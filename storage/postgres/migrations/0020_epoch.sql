-- The log's name changes with the first entry of a new epoch, and never else.
CREATE OR REPLACE FUNCTION log_head_only_grows() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NEW.size <= OLD.size OR (
    NEW.origin <> OLD.origin
    AND NOT EXISTS (SELECT 1 FROM log_entry WHERE idx = OLD.size AND type = 'log.epoch_started')
  ) THEN
    RAISE EXCEPTION 'the log only grows' USING ERRCODE = 'integrity_constraint_violation';
  END IF;
  RETURN NEW;
END $$;
