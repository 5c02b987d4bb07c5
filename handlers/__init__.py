"""Everything that speaks Slack.

How it arrives: `transport`; what it means: `inbound`; what is sent: `outbound`; how it looks: `views` (pure).
"""
