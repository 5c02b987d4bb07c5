"""How it arrives: HTTP, Socket Mode, signatures, replays."""
