"""The rules, pure: no I/O, no clock, no Slack.

Read `case.lifecycle`, `authority.authorization`, `authority.quorum`, `timing.escalation`, in that order.
"""
