"""Scenarios: hypothetical commands on the record, kept beside the log."""
