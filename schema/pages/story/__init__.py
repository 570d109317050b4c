"""Stories of a place or a commodity."""
