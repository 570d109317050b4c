"""Watched sources: when they were last read, and every look at them."""
