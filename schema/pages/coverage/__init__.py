"""Lists of acts that were read."""
