"""The log's rows: entries, tiles, checks, the clock's mark."""
