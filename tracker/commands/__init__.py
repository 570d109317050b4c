"""Commands: a fact is decided by its entity, then appended."""
