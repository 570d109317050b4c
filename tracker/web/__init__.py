"""Other servers: which may be spoken to, and how documents are fetched from them."""
