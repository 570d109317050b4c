"""Who signs the log: keys, publisher, witnesses."""
