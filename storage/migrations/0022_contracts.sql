-- Contracts that were past already when this program first looked: until when what is open of such a provider waits. The row
-- with an empty provider says that somebody has looked.
CREATE TABLE contract_grace (
  provider TEXT PRIMARY KEY,
  until_ms INTEGER NOT NULL
) STRICT;
