"""What Slack shows, as pure functions from values to dictionaries. Nothing here asks Slack, the store or a clock."""
