"""A mirror of a log: a copy that follows it, and that any web server serves as the same log."""
