"""What commands print: drills, policies, requests."""
