"""A local Slack look-alike: Web API, Socket Mode, signed HTTP, and a page on which one person plays everyone.

Loopback only. It knows nothing of the bot that it serves: what it gets is a `Workspace`, its protocol is Slack's
protocol. Tests use `sandbox.driver.Sandbox`; people open the page; `python -m sandbox` runs it alone.
"""
