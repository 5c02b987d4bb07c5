"""What stands between the decisions, in rows."""
