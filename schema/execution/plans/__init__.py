"""Plans: parts of a response that are prepared once per document."""
