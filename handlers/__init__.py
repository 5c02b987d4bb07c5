"""The Slack edge: everything that receives from or sends to Slack.

`transport` receives payloads, `inbound` parses them into commands, `outbound` sends messages, `views` renders blocks (pure).
"""
