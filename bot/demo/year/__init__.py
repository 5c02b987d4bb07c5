"""A large organisation's year: its policy, its log, and the reports on it; for tests, benchmarks and `countersign demo --year`."""
