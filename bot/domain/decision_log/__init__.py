"""The log as text and bytes: events, entries, signed notes, tiles, proofs, exports."""
