"""Watching: what publishers announce is fetched, kept as it came, and proposed as facts."""
