"""Named SQL, one file a subject: see `loader`."""
