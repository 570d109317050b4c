"""How the tracker is run: settings, command line, embedded PostgreSQL, wiring."""
