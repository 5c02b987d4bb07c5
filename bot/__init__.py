"""Countersign: the provider asks, the owner signs."""
