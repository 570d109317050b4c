"""All kinds of facts together: their registry, sentences and names."""
