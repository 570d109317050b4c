"""`/`: the state of the world at the moment, on one page."""
