"""Rows of governance: agreements and campaigns."""
