"""Signed decisions: what is signed, and whether a passkey's assertion proves it."""
