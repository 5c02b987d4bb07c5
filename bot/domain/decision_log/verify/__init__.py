"""Checks a log from outside: entries, checkpoints, order, decisions, operator actions."""
