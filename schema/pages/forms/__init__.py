"""Forms of GraphQL inputs: fields, typed text, errors at fields, and their mutations."""
