"""Queries for the state at a moment, and for the differences between two moments."""
