"""Search over all records."""
