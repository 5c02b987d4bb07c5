"""The log's rows: entries and their private text, tiles, checks, the clock's mark."""
