"""Measures what the bot promises about speed, each ratio beside its floor in the same run. Run by `make bench`."""
