"""Alliances, their members and their announcements."""
