"""Announcements: statements, commitments and payments."""
