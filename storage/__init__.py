"""Everything that speaks SQL. The rest of the program knows `bot.ports.store.Store` only."""
