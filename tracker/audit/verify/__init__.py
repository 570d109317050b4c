"""Verification of a log in a directory, at an address or in a database."""
