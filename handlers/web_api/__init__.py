"""Slack's Web API: client, errors, users, our own identity, the manifest."""
