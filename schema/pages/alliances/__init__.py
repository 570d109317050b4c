"""Alliances: who is a member of what, and what each announced."""
