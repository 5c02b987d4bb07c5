"""Governance: the matrix that owners agree to, and the sentences for its changes."""
