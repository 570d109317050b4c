"""Tables of versions, the contents of their rows, and their progress."""
