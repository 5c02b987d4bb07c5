"""What holds while the log or the clock cannot be trusted: clock guard, revocation, clock jump."""
