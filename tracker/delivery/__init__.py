"""Delivery of events to receivers. An endpoint is a named, ordered cursor on the log."""
