"""Pages for people: each a GraphQL document and a template of the same name."""
