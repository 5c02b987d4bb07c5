"""The policy: its model, people, on-call, business hours, field values."""
