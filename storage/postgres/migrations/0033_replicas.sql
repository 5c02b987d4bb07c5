-- What came in wakes the leader, whichever replica took it in.
CREATE FUNCTION inbox_came_in() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM pg_notify('countersign_inbox', '');
  RETURN NULL;
END $$;

CREATE TRIGGER inbox_notifies AFTER INSERT ON inbox FOR EACH STATEMENT EXECUTE FUNCTION inbox_came_in();
