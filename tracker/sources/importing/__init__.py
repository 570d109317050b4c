"""Imports: convert rows to facts, compare these with the log, and record a receipt."""
