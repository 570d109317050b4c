"""A mirror of a log: an updated copy that any web server can serve as the same log."""
