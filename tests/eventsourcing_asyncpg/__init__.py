"""Applications of the eventsourcing library on our PostgreSQL."""
