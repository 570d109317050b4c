"""Settings: their table, their file, their values."""
