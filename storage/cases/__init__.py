"""Cases: read, written by compare-and-swap, committed in groups."""
