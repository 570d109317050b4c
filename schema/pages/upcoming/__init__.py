"""Upcoming changes."""
