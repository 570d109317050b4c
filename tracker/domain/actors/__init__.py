"""Firms, alliances and their announcements."""
