"""Forms of GraphQL inputs: fields, typed text, errors at fields, and the mutations that take them."""
