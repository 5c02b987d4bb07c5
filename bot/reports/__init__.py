"""Papers made from the log alone: the evidence pack, and reports for providers and owners."""
