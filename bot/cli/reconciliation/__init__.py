"""`countersign reconcile`: the command, its record in the log, and when each domain was last reconciled."""
