"""When: escalation, quiet hours, cooling off, end dates."""
