"""Signing of the log: keys, publisher, witnesses."""
