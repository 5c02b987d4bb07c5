"""What answers over HTTP: server, operations server, health, metrics, log tiles."""
