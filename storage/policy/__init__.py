"""Policies and the calendars that were fetched for them."""
