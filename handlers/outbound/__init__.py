"""What is sent, and at what rate."""
