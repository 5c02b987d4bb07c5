-- When an ask after the yes becomes overdue is a time of its own, not that of its last step.

UPDATE ask SET warn_ms = due_ms WHERE state = 'open' AND due_ms IS NOT NULL AND EXISTS (
  SELECT 1 FROM step AS s WHERE s.case_id = ask.case_id AND s.ask = ask.n AND s.state = 'waiting' AND s.due_ms = ask.due_ms
);
