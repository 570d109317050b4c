"""Announcements: what was said, promised and paid."""
