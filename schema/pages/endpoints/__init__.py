"""Endpoints: destinations of events, and actions on them."""
