"""Every question to accountable people: one engine, one table of kinds, and what each kind's answers do."""
