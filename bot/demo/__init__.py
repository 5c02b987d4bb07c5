"""Sandbox and bot in one process."""
