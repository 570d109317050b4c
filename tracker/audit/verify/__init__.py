"""Who checks the log: from a directory, an address or a database."""
