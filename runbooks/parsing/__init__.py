"""From files to values, with positions and findings."""
