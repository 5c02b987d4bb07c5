"""The inbox, the outbox, and the App Homes that are to be drawn again."""
