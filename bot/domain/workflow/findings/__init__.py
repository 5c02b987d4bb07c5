"""Findings: what must be escalated at once. No access is asked for. Source: governance-contract.md, section 3."""
