"""What every view is made of: blocks, escaping, wording."""
