"""From the log to rows: the projector, its workers, and rebuilding."""
