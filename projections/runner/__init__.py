"""Maintenance of rows from the log: projector, workers and rebuild."""
