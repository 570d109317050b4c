"""Fields below `asOf`."""
