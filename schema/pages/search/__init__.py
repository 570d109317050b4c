"""Search over everything that is recorded."""
