"""The page about this tracker: purpose, sources and limits."""
