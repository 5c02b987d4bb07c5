"""The typer commands, and what they print."""
