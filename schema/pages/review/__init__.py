"""Pages of review: the queue of candidates, one of them beside what it was read from, and its form."""
