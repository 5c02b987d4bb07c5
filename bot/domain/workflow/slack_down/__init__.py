"""What works while Slack is down: requests filed on the host for somebody who telephones, and accounts that nobody can confirm."""
