"""`countersign backup` and `countersign restore`."""
