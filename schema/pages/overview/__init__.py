"""`/`: the world at the moment, on one page."""
