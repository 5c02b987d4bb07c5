"""`countersign inbox`: what came in and cannot be read by this version."""
