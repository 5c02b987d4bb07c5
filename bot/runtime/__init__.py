"""What process and command line both need: the open log, key rotation, log verification."""
