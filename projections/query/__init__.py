"""From rows to answers about a moment, or about two."""
