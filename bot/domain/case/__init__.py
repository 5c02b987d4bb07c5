"""A case: its model, its lifecycle, its transitions, and what an operator does."""
