"""Plans: parts of an answer that are prepared once per document."""
