"""Relays: publish the log to a broker such as NATS, with a cursor in the database."""
