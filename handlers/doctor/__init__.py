"""The checks of `countersign doctor` against Slack: tokens, scopes, people, channels, and a live message."""
