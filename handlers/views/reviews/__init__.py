"""What people see of the asks after the yes: their cards, and the forms that their buttons open."""
