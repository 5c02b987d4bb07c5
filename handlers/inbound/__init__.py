"""Parses payloads into commands and opens forms: one row of a table a command, button or form."""
