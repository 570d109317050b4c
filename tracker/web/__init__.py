"""Access to other servers: permitted addresses, and fetching of documents."""
