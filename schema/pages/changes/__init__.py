"""Differences between two moments."""
