"""SQLite itself: driver, schema, lock, values, and the named statements."""
