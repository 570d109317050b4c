"""Comparison of stored rows with a new fold of their events."""
