-- Whose row it is and what it is about, so that the inbox is fair by person and by request. NULL lane: a row of its own.
ALTER TABLE inbox ADD COLUMN lane TEXT;
ALTER TABLE inbox ADD COLUMN person TEXT NOT NULL DEFAULT '';

-- When a row proved unreadable for the running program. It is kept, takes nobody's turn, and is tried again at each start.
ALTER TABLE inbox ADD COLUMN unreadable_ms INTEGER;

UPDATE inbox SET lane = json_extract(act, '$.case'),
  person = coalesce(json_extract(act, '$.person.team') || '/' || json_extract(act, '$.person.user'), '')
WHERE done_ms IS NULL AND CASE WHEN json_valid(act) THEN json_type(act, '$.person') = 'object' ELSE 0 END;
