"""Places: their restrictions, restrictions on them, their alliances and their output."""
