"""What arrives, and what it means."""
