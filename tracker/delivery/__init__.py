"""Delivery: events are sent to somebody's address. An endpoint is a named, ordered cursor on the log."""
