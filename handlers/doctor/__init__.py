"""What `doctor` asks of Slack: channels, people, a live try."""
