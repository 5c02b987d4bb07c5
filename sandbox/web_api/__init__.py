"""Slack's Web API as the sandbox answers it: one module a family of methods, and the table of them all."""
