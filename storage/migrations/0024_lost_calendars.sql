-- Rotas whose calendar was announced as lost and not yet as found again: a restart announces neither twice.
CREATE TABLE lost_calendar (rota TEXT PRIMARY KEY) STRICT;
