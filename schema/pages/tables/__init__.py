"""The page of the tables."""
