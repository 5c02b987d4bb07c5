-- Whose row it is and what it is about, in PostgreSQL's words.
UPDATE inbox SET lane = act::jsonb ->> 'case',
  person = coalesce((act::jsonb #>> '{person,team}') || '/' || (act::jsonb #>> '{person,user}'), '')
WHERE done_ms IS NULL AND act IS JSON OBJECT AND act::jsonb -> 'person' IS NOT NULL;
