"""Could this program serve from a database? Looks that change nothing."""
