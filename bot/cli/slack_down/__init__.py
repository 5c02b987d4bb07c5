"""What the host's operator does for people while Slack is down: files for somebody who telephones."""
