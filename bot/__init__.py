"""Countersign: the provider asks, the owner signs."""

__version__ = "0.1.0"
