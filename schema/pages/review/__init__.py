"""Pages of review: the queue of candidates, one candidate beside its snapshot, and its form."""
