"""The rules, pure: no I/O, no clock, no Slack. Read `lifecycle`, `rights`, `quorum`, `escalation`, in that order."""
