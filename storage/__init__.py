"""Everything that speaks SQL. The rest of the program knows `bot.ports.Store` only."""
