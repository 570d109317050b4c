"""Watched sources, imports, and the completeness of what they cover."""
