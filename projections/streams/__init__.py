"""Facts of many entities, read from the log and folded."""
