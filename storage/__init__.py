"""All SQL. The rest of the program uses `bot.ports.store.Store` only."""
