"""On-call calendars: fetched, read, limited, and checked for gaps."""
