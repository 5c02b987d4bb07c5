-- The log's name changes with the first entry of a new epoch, and never else.
CREATE INDEX log_entry_epoch ON log_entry (idx) WHERE type = 'log.epoch_started';

DROP TRIGGER log_head_grows;

CREATE TRIGGER log_head_grows BEFORE UPDATE ON log_head
WHEN NEW.size <= OLD.size OR (
  NEW.origin <> OLD.origin
  AND NOT EXISTS (SELECT 1 FROM log_entry WHERE idx = OLD.size AND type = 'log.epoch_started')
)
BEGIN
  SELECT RAISE(ABORT, 'the log only grows');
END;
