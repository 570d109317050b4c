"""Relays: the log is published to a broker, such as NATS, by a cursor that is kept here."""
