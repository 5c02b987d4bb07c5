"""The use cases: approvals, filing, transactions, queries."""
