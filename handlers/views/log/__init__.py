"""What the decision log says, as messages."""
