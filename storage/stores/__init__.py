"""The store's parts, one subject each."""
