"""What this is, where its facts come from, and what it does not know."""
