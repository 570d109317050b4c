"""Operation of the tracker: settings, command line, embedded PostgreSQL, wiring."""
