"""What a policy must keep to."""
