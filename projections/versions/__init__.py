"""The tables of versions, what their rows hold, and how far they have come."""
